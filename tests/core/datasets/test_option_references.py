"""Which options would mean something else in another order."""

import time

import pytest
from hypothesis import given, strategies as st

from proctor.datasets.option_references import referring_options

REFERRING = [
    "Both A and B",
    "All of the above",
    "None of the above",
    "A and C",
    "A, B and C",
    "(a) and (b)",
    "Neither A nor B",
    "A & B",
    "B and D are correct",
    "A only",
    "Only A",
    "A but not B",
    "All of these",
    "None of these",
    "None of the above.",
    "all the above",
    "All above",
    "None of these options is correct",
    "Both are correct",
    "All are correct",
    "Both",
    "Neither",
    "Neither of these",
    "Both of the above",
    "More than one of the above",
    "None of them",
    "Option A",
    "Options (a) and (c)",
    "the other options",
    "All of the above except C",
    "Two of the above",
    "None of the other answers",
    "Same as option B",
    "the above statements are true",
    "Alle der oben genannten",
    "Keine der Antworten ist richtig",
    "Keine der genannten",
    "A und C",
    "Sowohl A als auch B",
    "weder A noch B",
    "Alle Antworten sind richtig",
    "Toutes les réponses ci-dessus",
    "Aucune de ces réponses",
    "A et B",
    "Les deux réponses",
    "Todas las anteriores",
    "Ninguna de las anteriores",
    "Todas son correctas",
    "A y B",
    "Ninguna de las opciones",
    "Todas as anteriores",
    "Nenhuma das anteriores",
    "Nenhuma das alternativas",
    "A e B",
    "Tutte le precedenti",
    "Nessuna delle precedenti",
    "Alle bovenstaande",
    "Geen van bovenstaande",
    "A en B",
    "Wszystkie powyższe",
    "Żadna z powyższych",
    "A i B",
    "Wszystkie odpowiedzi są poprawne",
    "Все вышеперечисленное",
    "Все ответы верны",
    "А и Б",
    "A и B",
    "以上都是",
    "以上皆非",
    "以上选项都不对",
    "A和B",
    "A、B和C",
    "上記のすべて",
    "AとB",
    "위의 모두",
    "A와 B",
    "Yukarıdakilerin hepsi",
    "Hepsi",
    "Tất cả các đáp án trên",
    "A và B",
    "Semua jawaban benar",
    "A dan B",
    "उपरोक्त सभी",
    "कुछ भी नहीं, इनमें से कोई नहीं",
    "كل ما سبق",
    "لا شيء مما سبق",
    "همه موارد فوق",
]
PLAIN = [
    "Paris",
    "A",
    "B",
    "above 5 °C",
    "The temperature is above average",
    "All people",
    "None",
    "Some",
    "One above the other",
    "Both hands",
    "Neither nor",
    "vitamin A",
    "A man and a woman",
    "A Tale of Two Cities",
    "e",
    "x and y",
    "E and F",
    "5 and 6",
    "Both sides of the river",
    "All of the patients",
    "None of the patients died",
    "the answer to life",
    "60分以上",
    "Only you",
    "I and II only",
    "A = B",
    "Rome and Paris",
    "a",
    "option",
    "All the world",
    "the following day",
    "either a cat or a dog",
    "d and e",
    "A-B-C",
    "不是",
    "全部",
    "Alle Menschen",
    "Todo",
    "Todas las personas",
    "tous",
    "le père et la mère",
    "и",
    "i",
    "y",
    "",
]


@pytest.mark.parametrize("option", REFERRING)
def test_one_that_refers_to_others_is_found(option):
    assert referring_options(["one", option, "three", "four"]) == [1]
    assert referring_options(["one", "two", "three", f"  {option} "]) == [3]


@pytest.mark.parametrize("option", PLAIN)
def test_one_that_does_not_is_left_alone(option):
    assert referring_options(["one", "two", "three", option]) == []


def test_letters_count_where_there_are_such_options():
    assert referring_options(["x", "A and D"]) == []
    assert referring_options(["x", "y", "z", "A and D"]) == [3]
    assert referring_options(["Both A and B", "C only", "Neither A nor C"]) == [0, 1, 2]


def test_statements_are_no_references():
    long = "The statements above hold because " + "of a long chain of reasons and " * 10
    assert referring_options([long, "x"]) == []


@given(st.lists(st.text(max_size=300), min_size=2, max_size=6))
def test_any_text_is_taken(options):
    found = referring_options(options)
    assert all(0 <= index < len(options) for index in found)


@pytest.mark.parametrize("text", ["all of the " * 18, "A and " * 33, "a" * 200, "todas " * 33])
def test_no_text_is_slow(text):
    began = time.process_time()
    for _ in range(20):
        referring_options([text] * 26)
    # a pattern that explodes takes hours for one
    assert time.process_time() - began < 30
