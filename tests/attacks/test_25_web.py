"""The page's server refuses strangers, malformed and endless messages; what it serves names no file of the user's."""


def test_abuse(elsewhere):
    elsewhere("web/test_abuse.py", "web/test_safety.py")
