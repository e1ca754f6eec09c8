"""SIGTERM and SIGINT end a trainer at any time, in a container too.

Outside training the system's default action is the right one: it ends the process at once, also in
a call of TensorFlow during which no Python runs. But a command in a container is process 1, which
has no default action. So there the trainer continues in a child, and process 1 acts as an init: it
passes signals on, and ends as the child ends. `docker run --init` and tini do the same; without
this, a container that was started without them would lose what it has not saved.
"""

import os
import signal
import sys

PASSED_ON = tuple(
    getattr(signal, name)
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)


def listen() -> None:
    """Call it before anything is loaded: SIGTERM ends this process from then on.

    Returns in a child if this is process 1.
    """
    # SIG_IGN is inherited from the parent; restore the default.
    if signal.getsignal(signal.SIGTERM) == signal.SIG_IGN:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Fork before TensorFlow starts threads, which a child would lack.
    if os.getpid() == 1 and "tensorflow" not in sys.modules:
        _go_on_in_a_child()


def take_back() -> None:
    """Restore SIGTERM, which TensorFlow takes over and ignores when it joins other workers."""
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))


def _go_on_in_a_child():
    # A signal that arrives before there is a handler has to wait.
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    child = os.fork()
    if child:
        for number in PASSED_ON:
            signal.signal(number, lambda number, _: os.kill(child, number))
    else:
        # Otherwise Ctrl-C would reach it twice, from the terminal and from process 1.
        os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    if child:
        os._exit(_end_of(child))


def _end_of(child):
    """Exit code of `child`, 128 + n if signal n ended it. Also reaps other orphans."""
    while True:
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
