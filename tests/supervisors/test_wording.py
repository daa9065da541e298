from supervisors.wording import Node, Report, find, node_text, sick_lines, text


def a_node(path="/a", **values):
    defaults = {"kind": "actor", "state": "running", "state_since_s": 5.0, "health": "healthy"}
    return Node(path=path, **{**defaults, **values})


def a_report(*children, health="healthy", **values):
    tree = a_node("/", kind="supervisor", health=health, children=children)
    totals = {"running": 3, "actors": 4, "restarts": 2, "leaked": 0, "rss_mib": 33.4}
    defaults = {"as_of": "2026-11-22T18:00:05Z", "pid": 1, "version": "0", "uptime_s": 4000.0, "why": ()}
    return Report(**{**defaults, "totals": totals, "health": health, "tree": tree, **values})


def test_a_healthy_tree_takes_a_few_lines():
    report = a_report(a_node("/core", kind="supervisor", children=(a_node("/core/a"), a_node("/core/b"))))

    assert text(report).splitlines() == [
        "Foreshock healthy, up 1 h 6 min (as of 2026-11-22T18:00:05Z)",
        "3 of 4 actors running, 2 restarts, 0 leaked threads, 33 MiB",
        "ok / (1) running",
        "  ok core (2) running",
    ]


def test_everything_is_shown_on_request():
    report = a_report(a_node("/core", kind="supervisor", children=(a_node("/core/a", epoch=3, note="busy"),)))

    assert text(report, everything=True).splitlines()[-1] == "    ok a running epoch 3  busy"


def test_a_sick_branch_is_shown_with_its_reason():
    parked = a_node("/core/a", state="parked", health="unhealthy", why="the token is wrong", restarts={"next_s": 290.0})
    stale = a_node("/core/b", health="degraded", flags=("stale",), note="reconnect 1 of 3")
    flapping = a_node("/core", kind="supervisor", health="unhealthy", flags=("flapping",), children=(parked, stale))
    tree = a_node("/", kind="supervisor", health="unhealthy", children=(flapping, a_node("/fine")))

    assert list(sick_lines(tree)) == [
        "/core flapping",
        "/core/a parked next try in 290 s (the token is wrong)",
        "/core/b stale (reconnect 1 of 3)",
    ]


def test_two_hundred_sick_actors_fit_into_one_message():
    sick = [
        a_node(f"/core/feeds/a-rather-long-name-{n}", health="unhealthy", flags=("stale",), note="n" * 300)
        for n in range(200)
    ]
    tree = a_report(*sick, health="unhealthy")
    report = a_report(*sick, health="unhealthy", why=tuple(sick_lines(tree.tree)))

    wording = text(report)

    assert len(wording) < 4096
    assert "  ! and 192 more" in wording.splitlines()
    assert wording.splitlines()[-1].endswith("more lines")


def test_one_path_is_told_with_its_last_exit_and_its_mailbox():
    node = a_node(
        epoch=3,
        note="4 sockets",
        restarts={"total": 2, "in_window": 1, "limit": 10, "window_s": 900.0},
        last_exit={"kind": "failed", "ago_s": 75.0, "error": "KeyError: 'side'", "where": "okx.py:88"},
        mailbox={"urgent": 0, "data": 3},
    )

    assert node_text(node).splitlines() == [
        "/a: healthy, running for 5 s, epoch 3",
        "  4 sockets",
        "  restarts 2, in window 1 of 10 per 900 s",
        "  last exit failed 1 min 15 s ago: KeyError: 'side' okx.py:88",
        "  mailbox urgent 0, data 3",
    ]


def test_a_path_is_found_at_any_depth():
    report = a_report(a_node("/s", kind="supervisor", children=(a_node("/s/x"),)))

    assert (find(report, "/s/x").path, find(report, "/s/y")) == ("/s/x", None)
