"""Speed and accuracy of first passages: this package, hand-written C++, plain Python and PyPI's peers.

``works`` are the tasks with their exact answers; ``by_*``, ``cpp`` and ``peers`` are the ways to do them,
each a list of `methods.Method`; ``timing`` repeats them in turns and ``table`` prints what came out.
"""
