"""POST /price-imports: a partner sends the prices agreed for its own list, as a file of any length."""

from __future__ import annotations

from starlette.responses import Response

from api_gateway.api.authentication import Caller
from api_gateway.api.enqueuing import Enqueue
from api_gateway.api.jobs.answers import Jobs
from api_gateway.api.jobs.uploads import Accepts, Upload
from api_gateway.api.operations import operation
from api_gateway.api.transactions import Write
from api_gateway.errors import Problem
from northgate_api import tasks  # the module: it imports parts of this package in its turn
from northgate_api.operations.callers import NO_PARTNER, partner_of
from northgate_api.operations.clock import today
from northgate_api.operations.price_lists import COLUMNS
from shared_models.grants import touches

REFUSES = {"wrong_columns": "The first line does not name the columns.", **NO_PARTNER}
FIRST_LINE = "item_number,min_quantity,price(,valid_from(,valid_to)?)?"
FILE = Accepts("text/csv", limit=16 * 2**20, waiting=5, pattern=rf"^{FIRST_LINE}(\n[^\x00]*)?$")


@operation("price-imports", scope="prices:write", status=202, upload=FILE, job=True, refuses=REFUSES)
@touches(partner_of)
async def import_prices(upload: Upload, tx: Write, caller: Caller, enqueue: Enqueue, jobs: Jobs) -> Response:
    """Load prices from a CSV: `item_number,min_quantity,price,valid_from,valid_to`, the last two as far as wanted.

    A price that is there from the same quantity and day on is changed. Without a first day it is valid from today.
    """
    partner = await partner_of(tx, caller)
    columns = tuple(name.strip() for name in upload.first_line().split(","))
    if len(columns) < 3 or columns != COLUMNS[: len(columns)]:
        raise Problem(422, "wrong_columns", "The first line must name the columns.", ",".join(COLUMNS))
    job = await enqueue(tasks.load_prices(on=today()), upload=upload, lock=f"prices {partner.price_list.rstrip()}")
    return await jobs.accepted(job)
