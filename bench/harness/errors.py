"""The two ways in which a bench run goes wrong."""


class BenchError(Exception):
    """Something the bench cannot go on without. Before the first workload it ends the run; inside
    one it ends the contestant: the report says why, and the run fails at its end."""


class NotAvailable(BenchError):
    """A contestant does not offer what is to be measured, or not in a way that counts."""
