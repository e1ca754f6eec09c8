"""SIGTERM and SIGINT reach a trainer wherever it runs and whatever it does.

Outside training the system's default action is the right one: it ends the process at once, also in
a call of TensorFlow that lets no Python run. But process 1, which a command in a container is, has
no default action. So there the trainer goes on in a child, and process 1 does what an init does: it
passes signals on, and ends as the child ends.
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
    """To be called before anything is loaded: SIGTERM ends this process from now on.

    Returns in a child where this is process 1.
    """
    # A parent that was deaf to it made this process deaf.
    if signal.getsignal(signal.SIGTERM) == signal.SIG_IGN:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # With TensorFlow come threads, which a child would not have.
    if os.getpid() == 1 and "tensorflow" not in sys.modules:
        _go_on_in_a_child()


def take_back() -> None:
    """Undo that TensorFlow, when it joins other workers, takes SIGTERM for itself and goes on."""
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))


def _go_on_in_a_child():
    # A signal that arrives before there is a handler has to wait.
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    child = os.fork()
    if child:
        for number in PASSED_ON:
            signal.signal(number, lambda number, _: os.kill(child, number))
    else:
        # Or Ctrl-C would reach it twice, from the terminal and from process 1.
        os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    if child:
        os._exit(_end_of(child))


def _end_of(child):
    """Exit code of `child`, 128 + n where signal n ended it. Other orphans are laid to rest too."""
    while True:
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
