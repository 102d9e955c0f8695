"""Of workers that fail together, one says why, and the others wait until it has."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from monoceros.firstword import FirstWord


def test_the_first_may_speak_until_the_master_forks_again():
    word = FirstWord()
    for _ in range(2):
        for is_first in (True, False, False):
            with word.take() as mine:
                assert mine is is_first
        word.renew()


def test_the_others_stay_until_it_is_said():
    staying, said = threading.Event(), []

    class Watched(FirstWord):
        PATIENCE = 60.0

        def _stay(self):
            staying.set()
            super()._stay()

    word = Watched()

    def other():
        with word.take() as is_first:
            said.append(is_first)

    thread = threading.Thread(target=other)
    with word.take() as is_first:
        thread.start()
        assert staying.wait(60)
        said.append(is_first)
    thread.join(60)
    assert said == [True, False]


def test_one_that_never_ends_its_word_is_not_waited_for_for_ever():
    class Brief(FirstWord):
        PATIENCE = 0.01

    word = Brief()
    child = os.fork()
    if child == 0:
        word.take().__enter__()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    with word.take() as is_first:
        assert not is_first


def test_an_exception_on_the_way_counts_as_said():
    word = FirstWord()
    try:
        with word.take():
            raise KeyError
    except KeyError:
        pass
    with word.take() as is_first:
        assert not is_first


def test_a_worker_without_the_pipes_speaks():
    """An application that closes every descriptor it does not know, and then fails, has taken them, too."""
    word = FirstWord()
    for end in (*word._chance, *word._done):
        os.close(end)
    for _ in range(2):
        with word.take() as is_first:
            assert is_first
    word.renew()


PROGRAM = """
import os
os.close(0)
from monoceros.firstword import FirstWord
word = FirstWord()
os.dup2(os.open(os.devnull, os.O_RDWR), 0)
word.renew()
with word.take() as is_first:
    print(is_first, flush=True)
"""


def test_it_keeps_out_of_the_places_of_the_standard_streams() -> None:
    """A daemon puts others there: its master could not fork any more."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("True\n", "")
