"""Which tests do not run on Windows, and why: three tables, of which every entry is a reason that people read.

A key is the beginning of a test's name as pytest writes it (``tests/unit/test_ring.py::test_...``); ``*`` stands for
anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

_ONE_ADDRESS = "Wine shows every address 127.0.0.x as 127.0.0.1, so no second peer can be told apart"
_ANY_ADDRESS = "Wine lets a socket listen on an address that is not this computer's"
_LOCKS = "Wine refuses a lock that is taken without saying why (errno stays what it was), Windows says EACCES"
_DIRECTML = "DirectML computes wrongly in Wine 8; tests/windows/test_directml.py runs it in Wine 10"
_NUMBERS = "pure arithmetic: the same numbers from the same packages on every system"
_PICTURES = "draws or bends pictures at length with the same packages; the worker's own are looked at"
_NETWORKS = "networks at length on the processor, with the same ONNX Runtime; test_opener and the worker run"
_CLOCKWORK = "plays a policy through on a clock of its own: nothing of a system is in it"
_STAND_INS = "stand-ins written in Python take the place of NVIDIA's libraries"
_TABLES = "compares networks with the table of DirectML's kernels: nothing of a system is in it"
_WORKER = "parts of the worker at length in one process; the worker itself runs (test_worker_process, test_spout)"
_SOURCES = "reads the project's sources, which are the same on every system"
_FUZZ = "made-up bytes against decoders that know nothing of a system; the decoders' own tests and sockets run"

CANNOT: Mapping[str, str] = {
    "tests/obs/": "needs OBS on Linux with a virtual X screen that the tests look at and click on",
}
"""Not on Windows, whatever the machine."""

WINE_DIFFERS: Mapping[str, str] = {
    "tests/unit/test_facemotion3d.py::test_fmv3_has_one_port_for_both_apps": _ONE_ADDRESS,
    "tests/unit/test_fmv3_sockets.py::test_a_stranger_can_neither": _ONE_ADDRESS,
    "tests/unit/test_ifacialmocap.py::test_an_address_alone_means": _ONE_ADDRESS,
    "tests/unit/test_ifacialmocap.py::test_another_peer_is_dropped": _ONE_ADDRESS,
    "tests/unit/test_phone.py::test_only_the_configured_phone": _ONE_ADDRESS,
    "tests/unit/test_remote.py::test_other_addresses_are_not_obeyed": _ONE_ADDRESS,
    "tests/unit/test_store_lock.py::test_a_second_holder": _LOCKS,
    "tests/unit/test_store_lock.py::test_the_one_that_waits": _LOCKS,
    "tests/unit/test_store_lock.py::test_a_killed_process": _LOCKS,
    "tests/unit/test_store_download.py::test_two_at_once": _LOCKS,
    "tests/unit/test_store_download.py::test_one_that_waits_too_long": _LOCKS,
    "tests/unit/test_udp.py::test_another_peer_is_refused": _ONE_ADDRESS,
    "tests/unit/test_udp.py::test_an_address_that_is_not_ours_is_told[203": _ANY_ADDRESS,
    "tests/contract/test_runtimes.py::*[onnxruntime_directml": _DIRECTML,
}
"""Runs on Windows, but Wine is no Windows there."""

SAYS_NOTHING: Mapping[str, str] = {
    "tests/fuzz/": _FUZZ,
    "tests/golden/": _NETWORKS,
    "tests/contract/test_directml_kernels.py": _TABLES,
    "tests/unit/test_student_model.py": _NETWORKS,
    "tests/structure/test_house_rules.py": _SOURCES,
    "tests/structure/test_imports.py": _SOURCES,
    "tests/structure/test_language_level.py::test_its_syntax": _SOURCES,
    "tests/unit/test_breath.py": _NUMBERS,
    "tests/unit/test_cache_books.py": _NUMBERS,
    "tests/unit/test_calibration.py": _NUMBERS,
    "tests/unit/test_governor.py": _NUMBERS,
    "tests/unit/test_idle.py": _NUMBERS,
    "tests/unit/test_lip_sync.py": _NUMBERS,
    "tests/unit/test_mapping_arkit.py": _NUMBERS,
    "tests/unit/test_mapping_openseeface.py": _NUMBERS,
    "tests/unit/test_mapping_vrm.py": _NUMBERS,
    "tests/unit/test_mixer.py": _NUMBERS,
    "tests/unit/test_motion.py": _NUMBERS,
    "tests/unit/test_mouth.py": _NUMBERS,
    "tests/unit/test_movement.py": _NUMBERS,
    "tests/unit/test_one_euro.py": _NUMBERS,
    "tests/unit/test_override.py": _NUMBERS,
    "tests/unit/test_pose_values.py": _NUMBERS,
    "tests/unit/test_quantiser.py": _NUMBERS,
    "tests/unit/test_quantiser_policies.py": _NUMBERS,
    "tests/unit/test_rotation.py": _NUMBERS,
    "tests/unit/test_rungs.py": _NUMBERS,
    "tests/unit/test_time_stamp.py": _NUMBERS,
    "tests/unit/test_tuning.py": _NUMBERS,
    "tests/unit/test_vowels.py": _NUMBERS,
    "tests/unit/test_bending.py": _PICTURES,
    "tests/unit/test_compose.py": _PICTURES,
    "tests/unit/test_face_parts.py": _PICTURES,
    "tests/unit/test_minute.py": _PICTURES,
    "tests/unit/test_picture_import_cutout.py": _PICTURES,
    "tests/unit/test_picture_import_fringe.py": _PICTURES,
    "tests/unit/test_picture_import_head.py": _PICTURES,
    "tests/unit/test_picture_import_prepare.py": _PICTURES,
    "tests/unit/test_rig.py": _PICTURES,
    "tests/unit/test_upscale_box.py": _PICTURES,
    "tests/unit/test_upscale_colour.py": _PICTURES,
    "tests/unit/test_rife_graph.py": _NETWORKS,
    "tests/unit/test_rife_interpolator.py": _NETWORKS,
    "tests/unit/test_student_composition.py": _NETWORKS,
    "tests/unit/test_student_contract.py": _NETWORKS,
    "tests/unit/test_student_networks.py": _NETWORKS,
    "tests/unit/test_student_points.py": _NETWORKS,
    "tests/unit/test_student_refined.py": _NETWORKS,
    "tests/unit/test_student_renderer.py": _NETWORKS,
    "tests/unit/test_student_visible.py": _NETWORKS,
    "tests/unit/test_tha_family.py": _NETWORKS,
    "tests/unit/test_tha_model.py": _NETWORKS,
    "tests/unit/test_tha_motion.py": _NETWORKS,
    "tests/unit/test_tha_prepare.py": _NETWORKS,
    "tests/unit/test_upscale_network.py": _NETWORKS,
    "tests/unit/test_upscale_precision.py": _NETWORKS,
    "tests/unit/test_drawing.py": _CLOCKWORK,
    "tests/unit/test_worker_app.py": _WORKER,
    "tests/unit/test_worker_drawing.py": _WORKER,
    "tests/unit/test_worker_inputs.py": _WORKER,
    "tests/unit/test_worker_models.py": _WORKER,
    "tests/unit/test_picture_import_create.py": _PICTURES,
    "tests/unit/test_drawing_governor.py": _CLOCKWORK,
    "tests/unit/test_drawing_rating.py": _CLOCKWORK,
    "tests/unit/test_enhancers.py": _CLOCKWORK,
    "tests/unit/test_enhancing.py": _CLOCKWORK,
    "tests/unit/test_pipeline.py": _CLOCKWORK,
    "tests/unit/test_tensorrt_builder.py": _STAND_INS,
    "tests/unit/test_tensorrt_cuda.py": _STAND_INS,
    "tests/unit/test_tensorrt_progress.py": _STAND_INS,
    "tests/unit/test_tensorrt_recipe.py": _STAND_INS,
    "tests/unit/test_tensorrt_runtime.py": _STAND_INS,
    "tests/unit/test_tensorrt_session.py": _STAND_INS,
}
"""Left out by ``--windows-quick``: the same computation in the same packages, or nothing but numbers."""


def reason_to_leave_out(name: str, *, wine: bool, quick: bool) -> str | None:
    """The reason for leaving this test out, the weightiest first; None when it runs."""
    tables = [CANNOT, *([WINE_DIFFERS] if wine else []), *([SAYS_NOTHING] if quick else [])]
    for table in tables:
        for beginning, reason in table.items():
            if _begins(name, beginning):
                return reason
    return None


def _begins(name: str, beginning: str) -> bool:
    if "*" not in beginning:
        return name.startswith(beginning)
    # brackets are parameters here, not a choice of letters
    return fnmatchcase(name, beginning.replace("[", "[[]") + "*")
