"""The contract: typed models that say what the API shows of the legacy schema, under which names and types.

    class Order(Resource, table="ord_hdr", path="orders", rows=Rows.where(prt_cd=principal.code)):
        number: Annotated[int, Key("ord_no")]
        placed_at: Annotated[datetime, LocalTime("ord_dt", zone="America/New_York")]

Values only; no database, no framework. `shared_models.resources` binds a contract to a snapshot.
"""
