"""Tasks: functions of the project that run in the background, each run in a process of its own.

    @task(retries=5, deadline=30)
    async def confirm_order(work: Work, number: int) -> None: ...

    await enqueue(confirm_order(number=4711))

A task that is called does nothing yet: it gives a Job, whose arguments the type checker has seen.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

if TYPE_CHECKING:
    from api_gateway.jobs.work import Work

P = ParamSpec("P")

LONGEST_PAUSE = 3600.0


@dataclass(frozen=True, slots=True)
class Job:
    """One run to be done: a task and its arguments as JSON."""

    task: Task[Any]
    arguments: Mapping[str, Any]


class Task(Generic[P]):
    """A declared task. Called with the function's arguments, less the Work, it gives a Job."""

    def __init__(
        self,
        run: Callable[Concatenate[Work, P], Awaitable[None]],
        *,
        deadline: float,
        retries: int,
        backoff: float,
        every: str | None,
    ) -> None:
        self.run = run
        self.name = run.__name__
        self.deadline, self.retries, self.backoff, self.every = deadline, retries, backoff, every
        self.__doc__ = run.__doc__
        self._signature = inspect.signature(run)
        if not inspect.iscoroutinefunction(run) or not self._signature.parameters:
            raise TypeError(f"{self.name} is no task: it must be `async def`, and its first parameter a Work.")
        kinds = {parameter.kind for parameter in self._parameters}
        if kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
            raise TypeError(f"{self.name}: a task names each of its arguments.")
        if every is not None and any(parameter.default is parameter.empty for parameter in self._parameters):
            raise TypeError(f"{self.name}: nobody is there to give a periodic task its arguments.")

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Job:
        """Raises TypeError or pydantic's ValidationError for what the function would not take."""
        _, *given = self._signature.bind(None, *args, **kwargs).arguments.items()
        return Job(self, self._model.model_validate(dict(given)).model_dump(mode="json"))

    def arguments_of(self, written: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments out of a stored job, in the types that the function asks for. Raises ValidationError."""
        model = self._model.model_validate(written)
        return {name: getattr(model, name) for name in type(model).model_fields}

    def pause_after(self, failures: int) -> float | None:
        """Seconds until the next try after so many failed runs; None: there is none."""
        return None if failures > self.retries else min(LONGEST_PAUSE, self.backoff * 2.0 ** (failures - 1))

    @property
    def _parameters(self) -> list[inspect.Parameter]:
        return list(self._signature.parameters.values())[1:]

    @cached_property
    def _model(self) -> type[BaseModel]:
        hints = get_type_hints(self.run, include_extras=True)
        fields: dict[str, Any] = {
            parameter.name: (
                hints.get(parameter.name, Any),
                ... if parameter.default is parameter.empty else parameter.default,
            )
            for parameter in self._parameters
        }
        return create_model(self.name, __config__=ConfigDict(extra="forbid"), **fields)


def task(
    *, deadline: float = 300.0, retries: int = 3, backoff: float = 5.0, every: str | None = None
) -> Callable[[Callable[Concatenate[Work, P], Awaitable[None]]], Task[P]]:
    """Declare a function to be a task.

    deadline  seconds one run may take; then it is ended, and has failed
    retries   how often it is tried again after a failed run
    backoff   seconds until the first of these tries; each later pause is twice as long, at most an hour
    every     when it runs by itself, as five fields of cron in UTC: "*/10 * * * *"
    """

    def declare(run: Callable[Concatenate[Work, P], Awaitable[None]]) -> Task[P]:
        return Task(run, deadline=deadline, retries=retries, backoff=backoff, every=every)

    return declare
