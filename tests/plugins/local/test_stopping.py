import pytest
from hypothesis import given, strategies as st

from proctor_local.stopping import StopStrings


def stopped_at(tokenizer, tokens, strings):
    """The number of tokens at which the incremental search stops; None if it never does."""
    search = StopStrings(tokenizer, strings)
    for count, token in enumerate(tokens, 1):
        if search.push(token):
            return count
    return None


def first_with(tokenizer, tokens, strings):
    """The same, by decoding everything again and again."""
    for count in range(1, len(tokens) + 1):
        text = tokenizer.decode(tokens[:count])
        if any(string in text for string in strings):
            return count
    return None


@given(data=st.data())
def test_a_stop_is_found_where_the_whole_text_first_holds_it(tokenizer, data):
    text = data.draw(st.text(st.sampled_from("ab \n.é漢🙂1"), min_size=1, max_size=30))
    noise = data.draw(st.lists(st.integers(0, 49151), max_size=8))
    cut = data.draw(st.integers(0, len(noise)))
    tokens = [*noise[:cut], *tokenizer.encode(text), *noise[cut:]]
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    strings = [text[start:end], *data.draw(st.lists(st.sampled_from(["b\n", " 1", "é."])))]
    assert stopped_at(tokenizer, tokens, strings) == first_with(tokenizer, tokens, strings)


@pytest.mark.parametrize(
    ("text", "stop"),
    [
        ("The capital of France is Paris", "tal of Fra"),  # inside the first and the last token
        ("one\n\nUser: two", "\n\nUser:"),
        ("a🙂b", "🙂"),  # a character of several tokens
        ("Done.<|im_end|>", "<|im_end|>"),
        ("x", "x"),
    ],
)
def test_a_stop_may_span_tokens(tokenizer, text, stop):
    tokens = tokenizer.encode(text)
    count = stopped_at(tokenizer, tokens, [stop])
    assert count is not None
    assert stop in tokenizer.decode(tokens[:count])
    assert stop not in tokenizer.decode(tokens[: count - 1])


def test_text_that_never_holds_the_stop_goes_on(tokenizer):
    assert stopped_at(tokenizer, tokenizer.encode("aaa bbb aab " * 20), ["abb", "zz"]) is None


def test_bytes_that_are_no_text_do_not_hide_a_later_stop(tokenizer):
    lone = tokenizer.convert_tokens_to_ids("Ċ")
    broken = [tokenizer.encode("🙂")[0]] * 40
    tokens = [*broken, lone, *tokenizer.encode("END")]
    assert stopped_at(tokenizer, tokens, ["\nEND"]) == len(tokens)


def test_a_long_answer_is_not_decoded_again_at_each_token(tokenizer):
    class Counting:
        decoded = 0

        def decode(self, tokens, **options):
            self.decoded += len(tokens)
            return tokenizer.decode(tokens, **options)

    counting = Counting()
    tokens = tokenizer.encode("word " * 1000)
    assert stopped_at(counting, tokens, ["never this"]) is None
    assert counting.decoded < 10 * len(tokens)
