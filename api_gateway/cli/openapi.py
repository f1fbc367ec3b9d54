"""`banyan openapi`: the API's document, and the files that are generated with it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def openapi(
    write: Annotated[
        bool, typer.Option("--write", help="Write contract.openapi.json and tables.py into the project.")
    ] = False,
    version: Annotated[str | None, typer.Option(help="Print that of this version: v2. Default: api.version.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 when those files are not up to date.")] = False,
) -> None:
    """Print the OpenAPI 3.1 document of the contract; freeze it."""
    from api_gateway.api.freeze import generated_files
    from api_gateway.cli.instance import project_folder
    from api_gateway.errors import Finding, UsageError
    from api_gateway.project import load_project
    from api_gateway.settings import settings

    project = load_project(project_folder(settings()))
    files = generated_files(project)
    if check:
        stale = [path.name for path, content in files.items() if not path.exists() or path.read_bytes() != content]
        if stale:
            raise Finding(f"not up to date: {', '.join(stale)}", hint="`banyan openapi --write` writes them.")
        return
    if not write:
        asked = version or project.configuration.api.version
        if asked not in project.versions:
            raise UsageError(f"there is no version {asked}: there is {', '.join(project.versions)}.")
        sys.stdout.write(files[project.openapi_path_of(asked)].decode())
        return
    for path, content in files.items():
        path.write_bytes(content)
        print(f"wrote {path.name}")
