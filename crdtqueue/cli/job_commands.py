"""The commands that change or export jobs."""

import argparse
from pathlib import Path

from crdtqueue.cli.api_client import ApiClient, find_jobs, job_path
from crdtqueue.cli.output import say
from crdtqueue.core.errors import Invalid, NotFound

Options = argparse.Namespace


def add_jobs_argument(parser: argparse.ArgumentParser) -> None:
    """The argument of every command that takes jobs."""
    parser.add_argument("jobs", nargs="+", metavar="JOB", help="its id, or the start of it")


def add_rm_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `rm`."""
    add_jobs_argument(parser)
    parser.add_argument(
        "--after-copy", action="store_true", help="once the copy that is being printed is done"
    )


def add_edit_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edit`."""
    add_jobs_argument(parser)
    parser.add_argument("--name")
    parser.add_argument("--runs", type=int, help="times the whole job")
    parser.add_argument("--note", help="what people should know about it")


def add_mv_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `mv`."""
    add_jobs_argument(parser)
    parser.add_argument("--to", metavar="QUEUE", help="the other queue")
    parser.add_argument("--before", metavar="JOB", help="the job to put them ahead of")


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `export`."""
    parser.add_argument("job", metavar="JOB", help="its id, or the start of it")
    parser.add_argument("file", metavar="FILE.gjob")


def rm(options: Options) -> None:
    """`crdtqueue rm JOB… [--after-copy]`."""
    client = ApiClient(options.url)
    for queue, job in find_jobs(client, options.jobs):
        client.delete(job_path(queue, job) + ("?after_copy=true" if options.after_copy else ""))
        say(options, f"Deleted job {job}.", id=job, deleted=True)


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


def print_again(options: Options) -> None:
    """`crdtqueue print-again JOB…`."""
    client = ApiClient(options.url)
    for queue, job in find_jobs(client, options.jobs):
        client.post(f"{job_path(queue, job)}/print-again")
        say(options, f"Job {job} is printed again from the beginning.", id=job, print_again=True)


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


def export(options: Options) -> None:
    """`crdtqueue export JOB FILE`."""
    client, target = ApiClient(options.url), Path(options.file)
    ((queue, job),) = find_jobs(client, [options.job])
    try:
        with target.open("xb") as file:
            size_bytes = client.download(f"{job_path(queue, job)}/gjob", file)
    except FileExistsError:
        raise Invalid(f"{target} is there already. Give another name.") from None
    except OSError as error:
        raise Invalid(f"{target} cannot be written: {error.strerror}. Choose another.") from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    say(options, f"Wrote {target}.", file=str(target), bytes=size_bytes)
