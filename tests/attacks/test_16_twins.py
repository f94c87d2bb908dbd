"""Compiled kernels compute what the readable code does, on networks drawn at random."""


def test_drawn_graphs(elsewhere):
    elsewhere("engine/test_twins_random.py", "engine/test_twins_graphs.py")
