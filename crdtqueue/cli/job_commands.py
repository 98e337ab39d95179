"""The commands that change jobs that are there."""

import argparse

from crdtqueue.cli.api_client import (
    ApiClient,
    find_jobs,
    job_path,
    say,
)
from crdtqueue.core.errors import Invalid, NotFound

Options = argparse.Namespace


def rm(options: Options) -> None:
    """`crdtqueue rm JOB… [--after-copy]`."""
    client = ApiClient(options.url)
    for queue, job in find_jobs(client, options.jobs):
        client.delete(job_path(queue, job) + ("?after_copy=true" if options.after_copy else ""))
        say(options, f"Deleted job {job}.", id=job, deleted=True)


def hold(options: Options) -> None:
    """`crdtqueue hold JOB…`."""
    client = ApiClient(options.url)
    for queue, job in find_jobs(client, options.jobs):
        client.post(f"{job_path(queue, job)}/pause")
        say(options, f"Job {job} is held back.", id=job, held=True)


def release(options: Options) -> None:
    """`crdtqueue release JOB…`."""
    client = ApiClient(options.url)
    for queue, job in find_jobs(client, options.jobs):
        client.post(f"{job_path(queue, job)}/resume")
        say(options, f"Job {job} may be printed.", id=job, held=False)


def mv(options: Options) -> None:
    """`crdtqueue mv JOB… [--to QUEUE] [--before JOB]`."""
    client = ApiClient(options.url)
    ahead_of = find_jobs(client, [options.before])[0] if options.before else None
    target = options.to or (ahead_of[0] if ahead_of else None)
    if target is None:
        raise Invalid("Say where to: --to with a queue, or --before with a job.")
    before = ahead_of[1] if ahead_of else None
    for queue, job in find_jobs(client, options.jobs):
        client.post(f"{job_path(queue, job)}/move", {"to": target, "before": before})
        say(options, f"Moved job {job} to {target}.", id=job, queue=target)


def edit(options: Options) -> None:
    """`crdtqueue edit JOB… [--name] [--runs] [--note]`."""
    wanted = {"name": options.name, "runs": options.runs, "note": options.note}
    changes = {field: value for field, value in wanted.items() if value is not None}
    if not changes:
        raise Invalid("Say what to change: --name, --runs or --note.")
    client = ApiClient(options.url)
    for queue, job in find_jobs(client, options.jobs):
        client.patch(job_path(queue, job), changes)
        say(options, f"Changed job {job}.", id=job, **changes)


def again(options: Options) -> None:
    """`crdtqueue again JOB…`."""
    client = ApiClient(options.url)
    for queue, job in find_jobs(client, options.jobs):
        client.post(f"{job_path(queue, job)}/reset")
        say(options, f"Job {job} is printed again from the beginning.", id=job, reset=True)


def lost(options: Options) -> None:
    """`crdtqueue lost JOB…`."""
    client = ApiClient(options.url)
    for queue, job in find_jobs(client, options.jobs):
        client.post(f"{job_path(queue, job)}/lost")
        say(options, f"Another printer may begin job {job}.", id=job, lost=True)


def restore(options: Options) -> None:
    """`crdtqueue restore JOB…`."""
    client = ApiClient(options.url)
    deleted = [(q["name"], j["id"]) for q in client.state()["queues"] for j in q["deleted"]]
    for text in options.jobs:
        found = [each for each in deleted if text and each[1].startswith(text)]
        if len(found) != 1:
            raise NotFound(f"There is no deleted job {text!r}. 'crdtqueue ls --deleted' has them.")
        client.post(f"{job_path(*found[0])}/restore")
        say(options, f"Job {found[0][1]} is back.", id=found[0][1], restored=True)
