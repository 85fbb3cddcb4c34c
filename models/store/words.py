"""The store's errors and states as English sentences, for the command line. The panel has its own tables."""

from __future__ import annotations

from core.wire.errors import EasyVtuberError

REASONS = {
    "no_network": "the server cannot be reached or the connection broke off",
    "not_found": "the server does not have it any more",
    "server_error": "the server answered with an error",
    "wrong_hash": "what came is not the file it should be",
    "too_large": "it is larger than it may be",
    "timed_out": "the server did not answer in time",
    "not_secure": "the connection would not be secure",
    "disk_full": "the disk is full",
    "not_writable": "its folder cannot be written to",
    "stopped": "it was stopped",
    "busy": "it is being downloaded already",
    "offline": "the network is switched off by EASYVTUBER_OFFLINE",
    "import_only": "it can only be downloaded by hand and imported",
    "path_missing": "there is no such file or folder",
    "not_readable": "it cannot be opened",
    "not_a_zip": "it is no zip archive (unpack it and import the folder)",
    "encrypted": "it is locked with a password",
    "nothing_known": "none of the networks this program knows is in it",
    "file_damaged": "it is damaged or incomplete",
    "not_a_network": "it is no network",
    "not_a_picture": "it is no PNG picture",
    "already_there": "the same file is there already",
    "duplicate": "another file for the same place is nearer to the top",
    "unsafe_name": "its name leads out of the archive",
    "not_a_file": "it is a link or a device",
    "not_needed": "this program has no use for it",
    "not_known": "it is none of the networks this program knows",
    "unknown_compression": "it is packed in a way that cannot be unpacked here",
    "in_use": "the file in its place is in use",
}
"""Every reason the store gives, as a clause."""

_SENTENCES = {
    "download_failed": '"{file}" could not be downloaded: {reason}. What has come stays.',
    "archive_bad": '"{path}" cannot be imported: {reason}.',
    "model_file_bad": '"{file}" cannot be used: {reason}.',
    "model_missing": '"{model}" is not complete: "{file}" is missing.',
    "licence_needed": '"{model}" comes under the licence {licence}; agree to it first (--yes).',
}


def reason(key: str) -> str:
    """A reason as a clause; a key that is unknown stands for itself."""
    return REASONS.get(key, key)


def sentence(error: EasyVtuberError) -> str:
    """An error as one sentence."""
    values = {**error.parameters, "reason": reason(str(error.parameters.get("reason", "")))}
    template = _SENTENCES.get(error.code)
    return template.format(**values) if template else str(error)
