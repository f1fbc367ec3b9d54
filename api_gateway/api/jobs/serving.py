"""What a project with tasks has besides its resources and operations, in every version of its API."""

from __future__ import annotations

import re

from fastapi import FastAPI
from starlette.routing import compile_path

from api_gateway.api.contract import Contract
from api_gateway.api.jobs.routes import JobRoutes
from api_gateway.api.operations import operation_of
from api_gateway.errors import UsageError
from api_gateway.jobs import load_tasks
from api_gateway.jobs.watched import Watching
from api_gateway.project import Project
from shared_models.database import Database


def serve_jobs(app: FastAPI, project: Project, contract: Contract, read: Database, write: Database) -> None:
    """Raises UsageError when a resource is where the jobs are to be."""
    api = project.configuration.api
    if not load_tasks(project):
        return
    watching = Watching(read)
    for version in contract.versions:
        if any(resource.path == api.jobs for resource in version.resources):
            hint = "`api.jobs` in banyan.toml says where jobs are: give it another name."
            raise UsageError(f"the path {api.jobs} is a resource's, and that of jobs.", hint=hint)
        path = f"{api.prefix}/{version.version}/{api.jobs}"
        routes = JobRoutes(read, write, watching, path, project.configuration.cors.origins)
        app.router.routes.extend(routes.routes)
    app.state.jobs, app.state.watching = api.jobs, watching


def uploads_of(contract: Contract, prefix: str) -> list[tuple[str, re.Pattern[str], int]]:
    """Operations that take a file: method, path, and how many bytes it may have."""
    return [
        (declared.method, compile_path(f"{prefix}/{version.version}/{declared.path}")[0], declared.upload.limit)
        for version in contract.versions
        for declared in map(operation_of, version.operations)
        if declared.upload is not None
    ]
