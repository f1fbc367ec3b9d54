"""Work that need not happen inside a request: tasks of the project, on procrastinate in schema `banyan`.

task       declares a function of the project's `tasks`      work       what such a function is given
enqueue    a job exists when its transaction has committed   load       the project's list of tasks
staging    a file that arrives for a job, in parts           uploaded   the same file, record by record
runner     the process that runs one job at a time           runners    the worker's end of such processes
working    the worker's loop: fetches, retries, takes up     records    what is written down about a job
listing    jobs as people look at them                       watched    jobs as their owners do
"""

from api_gateway.jobs.enqueue import Enqueued, Enqueuer
from api_gateway.jobs.load import load_tasks
from api_gateway.jobs.task import Job, Task, task
from api_gateway.jobs.uploaded import Record
from api_gateway.jobs.work import RowFault, Work

__all__ = ["Enqueued", "Enqueuer", "Job", "Record", "RowFault", "Task", "Work", "load_tasks", "task"]
