"""Profiles: which calls are timed, over which steps, and how they are shown."""

import json

import pytest

import tallow
from tallow import nn
from tallow.autograd.profiler import profile as simple_profile
from tallow.profiler import (
    ProfilerAction,
    ProfilerActivity,
    profile,
    record_function,
    schedule,
    tensorboard_trace_handler,
)


def test_forward_and_backward_are_timed():
    model, x = nn.Linear(3, 2), tallow.ones(4, 3)
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as prof:
        with record_function("forward"):
            loss = model(x).relu().sum()
        loss.backward()
    averages = {row.key: row for row in prof.key_averages()}
    assert {"forward", "relu", "sum"} <= averages.keys()
    forward = averages["forward"]
    assert forward.count == 1
    assert 0 < forward.self_cpu_time_total < forward.cpu_time_total == forward.cpu_time
    inner = sum(row.self_cpu_time_total for row in averages.values())
    outer = sum(e.duration for e in prof.events() if e.name == "forward") / 1e3
    assert inner >= outer
    relu = averages["relu"]
    assert list(map(tuple, relu.input_shapes)) == [(4, 2)]
    count = len(prof.events())
    model(x)
    assert len(prof.events()) == count  # nothing is timed outside


def test_tables(tmp_path):
    with simple_profile() as prof:
        for size in (2, 2, 3):
            tallow.ones(size).exp()
    assert [(row.key, row.count) for row in prof.key_averages()] == [("exp", 3)]
    by_shape = prof.key_averages(group_by_input_shape=True)
    assert [row.count for row in by_shape] == [2, 1]
    table = prof.key_averages().table(sort_by="cpu_time_total", row_limit=5)
    assert "100.0%" in table and table.splitlines()[2].startswith("exp ")
    with pytest.raises(ValueError, match="table: expected sort_by one of count"):
        prof.key_averages().table(sort_by="size")
    prof.export_chrome_trace(tmp_path / "trace.json")
    rows = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert [row["name"] for row in rows] == ["exp"] * 3 and all(row["dur"] > 0 for row in rows)


def test_a_disabled_profile_and_an_error():
    with simple_profile(enabled=False) as prof:
        tallow.ones(2).exp()
    assert not prof.events()
    with pytest.raises(RuntimeError), simple_profile() as prof:
        tallow.ones(2) + tallow.ones(3)
    assert [event.name for event in prof.events()] == ["add"]
    tallow.ones(2).exp()
    assert len(prof.events()) == 1


def test_schedules(tmp_path):
    plan = schedule(wait=1, warmup=1, active=2, repeat=2, skip_first=1)
    names = [plan(step).name for step in range(11)]
    round_of = ["NONE", "WARMUP", "RECORD", "RECORD_AND_SAVE"]
    assert names == ["NONE", *round_of, *round_of, "NONE", "NONE"]
    with pytest.raises(ValueError, match="active of 1 or more"):
        schedule(wait=0, warmup=0, active=0)

    seen = []
    with profile(schedule=plan, on_trace_ready=lambda p: seen.append(list(p.events()))) as prof:
        for step in range(11):
            tallow.ones(step + 1).exp()
            prof.step()
    shapes = [[event.shapes[0] for event in events] for events in seen]
    assert shapes == [[(4,), (5,)], [(8,), (9,)]]
    assert plan(4) is ProfilerAction.RECORD_AND_SAVE

    with profile(on_trace_ready=tensorboard_trace_handler(tmp_path, "worker")):
        tallow.ones(2).exp()
    (written,) = tmp_path.iterdir()
    assert written.name.startswith("worker.") and written.name.endswith(".pt.trace.json")
