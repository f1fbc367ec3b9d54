"""`banyan doctor`: are the surroundings fit for an installation, and what is to be done where they are not?

One file per thing looked at. Each is a function that gives Symptoms; `examination` lists them.
"""

from api_gateway.doctor.examination import Surroundings, examine
from api_gateway.doctor.symptom import CODES, Symptom

__all__ = ["CODES", "Surroundings", "Symptom", "examine"]
