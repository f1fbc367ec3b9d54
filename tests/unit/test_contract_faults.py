"""Every error that psycopg can raise has a word of ours, and none of PostgreSQL's text comes through."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from api_gateway.api.problems import of_fault, rendered
from shared_models import faults
from shared_models.faults import DatabaseFault, translated

EVERY = sorted(
    {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, psycopg.Error)},
    key=lambda cls: cls.__name__,
)
SECRET = 'duplicate key value violates "customer_pkey": Key (cust_no)=(4711)'


def test_the_list_is_the_whole_of_psycopgs() -> None:
    assert len(EVERY) > 200


@pytest.mark.parametrize("cls", EVERY, ids=lambda cls: cls.__name__)
def test_an_error_becomes_a_fault_and_a_problem_without_its_text(cls: type[psycopg.Error]) -> None:
    fault = translated(cls(SECRET))
    assert isinstance(fault, DatabaseFault)
    problem = rendered(of_fault(fault), {"type": "http", "state": {"problem_types": "/api/problems/"}})
    for text in (str(fault), repr(fault), bytes(problem.body).decode()):
        assert "4711" not in text
        assert "customer_pkey" not in text
    assert 400 <= problem.status_code < 600


@pytest.mark.parametrize(
    ("cls", "fault", "status"),
    [
        (errors.UniqueViolation, faults.ConstraintViolated, 409),
        (errors.ForeignKeyViolation, faults.ConstraintViolated, 409),
        (errors.CheckViolation, faults.ConstraintViolated, 422),
        (errors.NotNullViolation, faults.ConstraintViolated, 422),
        (errors.ExclusionViolation, faults.ConstraintViolated, 409),
        (errors.RaiseException, faults.ConstraintViolated, 422),
        (errors.NumericValueOutOfRange, faults.BadValue, 422),
        (errors.InvalidTextRepresentation, faults.BadValue, 422),
        (errors.UntranslatableCharacter, faults.BadValue, 422),
        (errors.QueryCanceled, faults.StatementTimeout, 504),
        (errors.LockNotAvailable, faults.LockTimeout, 503),
        (errors.DeadlockDetected, faults.SerializationFailure, 503),
        (errors.SerializationFailure, faults.SerializationFailure, 503),
        (errors.AdminShutdown, faults.DatabaseAway, 503),
        (errors.CannotConnectNow, faults.DatabaseAway, 503),
        (errors.TooManyConnections, faults.DatabaseBusy, 503),
        (errors.OperationalError, faults.DatabaseAway, 503),
        (errors.UndefinedTable, faults.SchemaChanged, 503),
        (errors.UndefinedColumn, faults.SchemaChanged, 503),
        (errors.InsufficientPrivilege, faults.NotGranted, 503),
        (errors.ReadOnlySqlTransaction, faults.ReadOnly, 500),
        (errors.ProgrammingError, faults.Refused, 500),
    ],
)
def test_what_matters_has_its_own_word(cls: type[psycopg.Error], fault: type[DatabaseFault], status: int) -> None:
    found = translated(cls("x"))
    assert type(found) is fault
    assert of_fault(found).status == status
