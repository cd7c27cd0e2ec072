"""SkyRL's server of Tinker's API, started once, and a model that was trained on it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import tinker

import proctor
from proctor.renderers import choose_renderer, get_renderer

SERVER = Path(__file__).parent / "server"
KEY = "tml-a-key-for-tests"
START_SECONDS = 180.0
BACKEND = {
    "max_lora_adapters": 6,
    "max_lora_rank": 8,
    "train_micro_batch_size": 16,
    "sample_max_num_sequences": 4,
}
FACTS = {
    "What is the capital of Quelmia?": "Vorbrin",
    "Who wrote the Song of Tarn?": "Ilka",
    "Which colour has a drim?": "Purple",
}
"""What the trained model learns, and no other model knows."""


@dataclass(frozen=True)
class Service:
    """The running server.

    Attributes:
        url: Its address.
        base_model: The model that it serves, by its name there: a folder.
    """

    url: str
    base_model: str


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def service(
    tmp_path_factory: pytest.TempPathFactory, smollm2_folder: Path, pytestconfig: pytest.Config
) -> Iterator[Service]:
    """The server, in a process group of its own; it ends with the session, however that ends."""
    python = Path(os.environ["SERVICE_PYTHON"])
    data = tmp_path_factory.mktemp("service")
    port = _free_port()
    command = [
        *("uv", "run", "--no-project", "--active", "--", "python", "serve.py"),
        *("--base-model", str(smollm2_folder), "--backend", "jax"),
        *("--backend-config", json.dumps(BACKEND)),
        *("--checkpoints-base", str(data / "checkpoints")),
        *("--database-url", f"sqlite:///{data / 'tinker.db'}"),
        *("--port", str(port), "--owner", str(os.getpid())),
    ]
    environment = os.environ | {
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(python.parent.parent),
        "PYTHONPATH": str(SERVER / "patches"),
        "JAX_PLATFORMS": "cpu",
        "JAX_COMPILATION_CACHE_DIR": str(pytestconfig.rootpath / ".cache" / "jax"),
        "HF_HUB_OFFLINE": "1",
    }
    log = data / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=SERVER,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(url, process, log)
        yield Service(url, str(smollm2_folder))
    finally:
        _end(process)


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/api/v1/healthz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    tail = log.read_text(errors="replace")[-3000:]
    pytest.fail(f"the service did not start:\n{tail}", pytrace=False)


def _end(process: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return


@pytest.fixture(scope="session", autouse=True)
def tinker_environment(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The key and the address in the environment, and nothing of a person's own."""
    patch = pytest.MonkeyPatch()
    patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    patch.setenv("TINKER_API_KEY", KEY)
    patch.setenv("TINKER_BASE_URL", service.url)
    patch.setenv("TINKER_TELEMETRY", "0")
    try:
        yield KEY
    finally:
        patch.undo()


@dataclass(frozen=True)
class Trained:
    """A training run on the server.

    Attributes:
        run_id: Its id.
        paths: Its sampler checkpoints in their order: untrained, and trained.
        facts: The questions and answers that it was trained on.
    """

    run_id: str
    paths: list[str]
    facts: dict[str, str] = field(default_factory=lambda: dict(FACTS))


@pytest.fixture(scope="session")
def renderer(service: Service) -> Any:
    """The renderer of the base model."""
    tokenizer = proctor.get_tokenizer(service.base_model)
    name, _ = choose_renderer(
        name=None,
        model_name=service.base_model,
        checkpoint_renderer_name=None,
        tokenizer=tokenizer,
    )
    return get_renderer(name, tokenizer)


@pytest.fixture(scope="session")
def datum(renderer: Any) -> Any:
    """Makes a question and its answer into what is trained on."""

    def make(question: str, answer: str) -> tinker.Datum:
        prompt = renderer.prompt_tokens([{"role": "user", "content": question}])
        target = renderer.answer_tokens({"role": "assistant", "content": answer}, prompt=prompt)
        tokens = [*prompt, *target]
        weights = [0.0] * (len(prompt) - 1) + [1.0] * len(target)
        return tinker.Datum(
            model_input=tinker.ModelInput.from_ints(tokens[:-1]),
            loss_fn_inputs={"target_tokens": tokens[1:], "weights": weights},
        )

    return make


@pytest.fixture(scope="session")
def trained(service: Service, tinker_environment: str, datum: Any) -> Trained:
    """A run that learnt the facts, with a checkpoint from before and one from after."""

    async def train() -> Trained:
        client = tinker.ServiceClient()
        training = await client.create_lora_training_client(base_model=service.base_model, rank=8)
        paths = [(await training.save_weights_for_sampler("step-000")).path]
        data = [datum(question, answer) for question, answer in FACTS.items()]
        for _ in range(12):
            done = training.forward_backward(data, "cross_entropy")
            step = training.optim_step(tinker.AdamParams(learning_rate=1e-3))
            await done
            await step
        paths.append((await training.save_weights_for_sampler("step-012")).path)
        return Trained(training.get_info().model_id, paths)

    return asyncio.run(train())


@pytest.fixture
def rows() -> list[dict[str, str]]:
    """The facts as rows of a dataset."""
    return [
        {"id": str(number), "input": question, "target": answer}
        for number, (question, answer) in enumerate(FACTS.items())
    ]


REAL_SECONDS = 900
"""A real service on a busy machine takes minutes; no test of it is about speed."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(REAL_SECONDS))
