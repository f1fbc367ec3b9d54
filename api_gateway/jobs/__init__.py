"""Work that need not happen inside a request: tasks of the project, on procrastinate in schema `banyan`.

task       declares a function of the project's `tasks`        work       what such a function is given
enqueue    a job exists exactly when its transaction commits    load       the project's list of tasks
runner     the process that runs one job at a time              runners    the worker's end of such processes
working    the worker's loop: fetches, retries, takes up        records    what is written down about a job
"""

from api_gateway.jobs.enqueue import Enqueued, Enqueuer
from api_gateway.jobs.load import load_tasks
from api_gateway.jobs.task import Job, Task, task
from api_gateway.jobs.work import Work

__all__ = ["Enqueued", "Enqueuer", "Job", "Task", "Work", "load_tasks", "task"]
