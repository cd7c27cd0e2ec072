"""Has SkyRL 0.4.0, which was written for Python 3.12, import on Python 3.11."""

import typing

import typing_extensions

typing.TypedDict = typing_extensions.TypedDict
