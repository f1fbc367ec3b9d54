"""What runs in the background, on behalf of whoever asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date

from api_gateway.jobs import Work, task
from northgate_api.operations.audit import log
from northgate_api.operations.callers import Partner, partner_of
from northgate_api.operations.price_lists import load
from shared_models.database import WriteTransaction
from shared_models.grants import touches

ROWS_AT_ONCE = 1000


@task(deadline=600)
@touches(partner_of, load, log)
async def load_prices(work: Work, on: date) -> None:
    """The file of a partner's price list, a thousand rows at a time. `on`: the day it came."""
    upload = await work.upload()
    async with work.read() as tx:
        partner = await partner_of(tx, work.principal)
    position = await work.position() or {}
    loaded, rejected = int(position.get("loaded", 0)), int(position.get("rejected", 0))
    try:
        async for batch in upload.batches(ROWS_AT_ONCE, after=position or None):
            rows = [record for record in batch.records if record.row > 1]
            async with work.write() as tx:
                faults = await load(tx, partner, rows, on)
                counts = {"loaded": loaded + len(rows) - len(faults), "rejected": rejected + len(faults)}
                if batch.position["byte"] == upload.bytes:
                    await _note(tx, partner, counts)
                await work.progress(
                    tx,
                    done=batch.lines,
                    total=upload.lines,
                    position={**batch.position, **counts},
                    result=counts,
                    faults=faults,
                )
            loaded, rejected = counts["loaded"], counts["rejected"]
    except asyncio.CancelledError:
        if loaded + rejected and await work.is_cancelled():  # what was loaded stays, so it is told
            async with work.write() as tx:
                await _note(tx, partner, {"loaded": loaded, "rejected": rejected}, " cancelled")
        raise


@touches(log)
async def _note(tx: WriteTransaction, partner: Partner, counts: Mapping[str, int], more: str = "") -> None:
    said = f"loaded={counts['loaded']} rejected={counts['rejected']}{more}"
    await log(tx, partner.code, "UPLOAD", "price_lst", partner.price_list.rstrip(), said)


tasks = [load_prices]
