"""Super-resolution and RIFE may be taken away or fail at any moment: a picture there is all the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from core.pose.parameters import neutral
from core.wire.errors import AccelError, RuntimeFailed
from core.worker.enhancers import PlainUpscaler, SharedRife, SharedUpscaler
from models.base import Picture
from tests.contract.fake_outputs import LIMIT_S, Gate, wait_until

from .upscale_networks import disc, noise

LEVEL = 90
"""What a network's pictures are filled with."""
GONE = RuntimeFailed("the driver was reset", runtime="tensorrt_rtx", network="waifu2x")


class Network:
    """Enlarges, or draws between two pictures, in its own way; can be held and can fail."""

    size = 1024

    def __init__(self, factor: int = 2) -> None:
        self.factor = factor
        self.gate = Gate()
        self.problem: AccelError | None = None
        self.runs = self.closings = 0
        self.shares: list[float] = []
        self.closed_while_at_work = False
        self._at_work = False

    def apply(self, picture: Picture, out: Picture) -> None:
        self._run([out])

    def draw_all(self, older: Picture, newer: Picture, out: Sequence[Picture]) -> None:
        self._run(out)

    def draw(self, older: Picture, newer: Picture, share: float, out: Picture) -> None:
        self.shares.append(share)
        self._run([out])

    def _run(self, out: Sequence[Picture]) -> None:
        assert not self.closings, "asked for a picture after it was closed"
        self.runs += 1
        self._at_work = True
        self.gate.pass_through()
        self._at_work = False
        if self.problem is not None:
            raise self.problem
        for picture in out:
            picture[:] = LEVEL

    def close(self) -> None:
        self.closed_while_at_work |= self._at_work
        self.closings += 1


class Work:
    """Something that is done on a thread of its own."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.problem: BaseException | None = None
        self._work = work
        self._thread = threading.Thread(target=self._run, name="work-under-test")
        self._thread.start()

    @property
    def is_done(self) -> bool:
        return not self._thread.is_alive()

    def ends(self) -> None:
        """Wait for its end; raises what it raised."""
        self._thread.join(LIMIT_S)
        assert self.is_done
        if self.problem is not None:
            raise self.problem

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as problem:  # noqa: BLE001 - it is raised again where it is waited for
            self.problem = problem


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network()
    yield network
    network.gate.open.set()


def enlarged(upscaler: SharedUpscaler | PlainUpscaler, picture: Picture) -> Picture:
    out = np.full((1024, 1024, 4), 77, np.uint8)
    upscaler.apply(picture, out)
    return out


def plain(picture: Picture) -> Picture:
    return enlarged(PlainUpscaler(), picture)


def between(rife: SharedRife, older: Picture, newer: Picture, count: int = 1) -> list[Picture]:
    out = [np.full((512, 512, 4), 77, np.uint8) for _ in range(count)]
    rife.draw_all(older, newer, out, [neutral()] * (count + 2))
    return out


def rife_with(network: Network) -> SharedRife:
    return SharedRife(network)  # type: ignore[arg-type]


def is_the_networks(picture: Picture) -> bool:
    return bool((picture == LEVEL).all())


# -- without a network ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("picture", [noise(), disc((20, 120, 250)), np.zeros((512, 512, 4), np.uint8)])
def test_what_is_enlarged_plainly_has_no_colour_above_its_alpha(picture: Picture) -> None:
    before = picture.copy()
    made = plain(picture)
    assert (made[..., :3] <= made[..., 3:]).all()
    assert np.array_equal(picture, before)


def test_what_is_enlarged_plainly_looks_as_it_did() -> None:
    picture = disc((20, 120, 250))
    small = plain(picture).reshape(512, 2, 512, 2, 4).astype(np.float64).mean(axis=(1, 3))
    assert np.abs(small - picture).max() <= 12
    assert np.abs(small - picture).mean() < 0.2


def test_a_plain_picture_and_a_networks_have_different_names(network: Network) -> None:
    assert PlainUpscaler().name != SharedUpscaler("waifu2x", network).name


# -- a network that works ---------------------------------------------------------------------------------------------


def test_the_networks_own_pictures_are_shown(network: Network) -> None:
    upscaler = SharedUpscaler("waifu2x", network)
    assert (upscaler.name, upscaler.size, upscaler.failure) == ("waifu2x", 1024, None)
    assert is_the_networks(enlarged(upscaler, noise()))


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_rifes_own_pictures_are_shown(factor: int) -> None:
    rife = rife_with(Network(factor))
    assert (rife.name, rife.steps, rife.failure) == ("rife", factor, None)
    assert all(map(is_the_networks, between(rife, noise(1), noise(2), factor - 1)))


@pytest.mark.parametrize("count", [1, 3, 7])
def test_another_number_of_pictures_than_it_was_made_for_is_drawn_one_by_one(count: int) -> None:
    """The governor renders less often than the settings say."""
    network = Network(3)
    rife = rife_with(network)
    assert all(map(is_the_networks, between(rife, noise(1), noise(2), count)))
    assert network.shares == pytest.approx([number / (count + 1) for number in range(1, count + 1)])
    assert all(map(is_the_networks, between(rife, noise(1), noise(2), 2)))
    assert len(network.shares) == count, "what it was made for is drawn at once"


# -- a network that fails ---------------------------------------------------------------------------------------------


def test_an_upscaler_that_fails_is_not_asked_again(network: Network) -> None:
    upscaler, picture = SharedUpscaler("waifu2x", network), noise()
    network.problem = GONE
    assert np.array_equal(enlarged(upscaler, picture), plain(picture)), "the picture at hand is enlarged all the same"
    assert upscaler.failure is GONE
    network.problem = None
    assert np.array_equal(enlarged(upscaler, picture), plain(picture))
    assert network.runs == 1
    upscaler.close()
    assert network.closings == 1


def test_rife_that_fails_is_not_asked_again(network: Network) -> None:
    rife, newer = rife_with(network), noise(2)
    network.problem = GONE
    for _ in range(2):
        assert np.array_equal(between(rife, noise(1), newer)[0], newer)
        network.problem = None
    assert rife.failure is GONE
    assert network.runs == 1
    rife.close()
    assert network.closings == 1


# -- a network that is taken away -------------------------------------------------------------------------------------


def test_without_its_network_an_upscaler_enlarges_plainly(network: Network) -> None:
    upscaler, picture = SharedUpscaler("waifu2x", network), noise()
    upscaler.close()
    assert np.array_equal(enlarged(upscaler, picture), plain(picture))
    assert upscaler.failure is None, "that is no failure"


def test_without_its_network_rife_shows_the_newer_picture(network: Network) -> None:
    rife, newer = rife_with(network), noise(2)
    rife.close()
    assert np.array_equal(between(rife, noise(1), newer)[0], newer)
    assert rife.failure is None


@pytest.mark.parametrize("fails", [False, True])
def test_a_network_is_given_back_once_however_often_that_is_asked_for(network: Network, fails: bool) -> None:
    upscaler = SharedUpscaler("waifu2x", network)
    network.problem = GONE if fails else None
    enlarged(upscaler, noise())
    for _ in range(3):
        upscaler.close()
    rife = rife_with(other := Network())
    other.problem = network.problem
    between(rife, noise(1), noise(2))
    for _ in range(3):
        rife.close()
    assert (network.closings, other.closings) == (1, 1)


@pytest.mark.parametrize("fails", [False, True])
def test_an_upscaler_is_closed_when_the_picture_at_hand_is_done(network: Network, fails: bool) -> None:
    upscaler, picture = SharedUpscaler("waifu2x", network), noise()
    network.problem = GONE if fails else None
    out = np.full((1024, 1024, 4), 77, np.uint8)
    network.gate.open.clear()
    drawing = Work(lambda: upscaler.apply(picture, out))
    assert network.gate.inside.wait(LIMIT_S)
    closings = [Work(upscaler.close) for _ in range(2)]
    assert not wait_until(lambda: network.closings > 0 or drawing.is_done, limit_s=0.05)
    network.gate.open.set()
    drawing.ends()
    for closing in closings:
        closing.ends()
    assert (network.closings, network.closed_while_at_work) == (1, False)
    assert np.array_equal(out, plain(picture)) if fails else is_the_networks(out)
    assert np.array_equal(enlarged(upscaler, picture), plain(picture))


@pytest.mark.parametrize("fails", [False, True])
def test_rife_is_closed_when_the_pictures_at_hand_are_done(fails: bool) -> None:
    network = Network(4)
    rife, newer = rife_with(network), noise(2)
    network.problem = GONE if fails else None
    made: list[Picture] = []
    network.gate.open.clear()
    try:
        drawing = Work(lambda: made.extend(between(rife, noise(1), newer, 3)))
        assert network.gate.inside.wait(LIMIT_S)
        closings = [Work(rife.close) for _ in range(2)]
        assert not wait_until(lambda: network.closings > 0 or drawing.is_done, limit_s=0.05)
    finally:
        network.gate.open.set()
    drawing.ends()
    for closing in closings:
        closing.ends()
    assert (network.closings, network.closed_while_at_work) == (1, False)
    assert len(made) == 3
    assert all(np.array_equal(picture, newer) if fails else is_the_networks(picture) for picture in made)


def test_pictures_go_on_while_networks_come_and_go() -> None:
    """No picture is half made, and no network works after it was closed."""
    picture, networks = noise(), [Network() for _ in range(20)]
    upscalers = [SharedUpscaler("waifu2x", network) for network in networks]
    begun, wanted = threading.Semaphore(0), plain(picture)

    def draw() -> None:
        out = np.full((1024, 1024, 4), 77, np.uint8)
        for upscaler in upscalers:
            begun.release()
            for _ in range(2):
                upscaler.apply(picture, out)
                assert is_the_networks(out) or np.array_equal(out, wanted)

    drawing = Work(draw)
    for upscaler in upscalers:
        assert begun.acquire(timeout=LIMIT_S)
        upscaler.close()
    drawing.ends()
    assert [network.closings for network in networks] == [1] * 20
