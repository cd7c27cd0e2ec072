"""SkyRL's server of Tinker's API, answering as the SDK that Proctor uses expects.

It runs in the environment of requirements/service.txt, in which Proctor is not installed.
"""

import argparse
import os
import signal
import threading
import time
import uuid
from pathlib import Path

import uvicorn
from fastapi import Depends, Request
from skyrl.tinker import api
from skyrl.tinker.config import EngineConfig, add_model

SAMPLE = "/api/v1/asample"


class SampleFuture(api.FutureResponse):
    """A promise of samples, with the id of each, as SDK 0.38 asserts."""

    sample_sequence_ids: list[str]


async def asample(request: api.SampleRequest, req: Request, session=Depends(api.get_session)):  # noqa: B008
    """SkyRL's own route, and an id for each sample."""
    future = await api.asample(request, req, session)
    ids = [uuid.uuid4().hex for _ in range(request.num_samples)]
    return SampleFuture(**future.model_dump(), sample_sequence_ids=ids)


def end_with(owner: int) -> None:
    """Ends this process and all that it started once the tests' process is gone."""
    while Path(f"/proc/{owner}").exists():
        time.sleep(1)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    parser = argparse.ArgumentParser()
    add_model(parser, EngineConfig)
    parser.add_argument("--owner", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = vars(parser.parse_args())
    threading.Thread(target=end_with, args=(options["owner"],), daemon=True).start()
    routes = api.app.router.routes
    routes.remove(next(route for route in routes if getattr(route, "path", None) == SAMPLE))
    api.app.post(SAMPLE, response_model=SampleFuture)(asample)
    known = {key: value for key, value in options.items() if key in EngineConfig.model_fields}
    api.app.state.engine_config = EngineConfig.model_validate(known)
    uvicorn.run(api.app, host="127.0.0.1", port=options["port"], log_level="warning")


if __name__ == "__main__":
    main()
