"""What has to go along with networks that are passed on, by the key of their licence, and which are not passed on."""

from __future__ import annotations

_MIT_TERMS = """\
Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
_BSD_TERMS = """\
Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this
   list of conditions and the following disclaimer.

2. Redistributions in binary form must reproduce the above copyright notice,
   this list of conditions and the following disclaimer in the documentation
   and/or other materials provided with the distribution.

3. Neither the name of the copyright holder nor the names of its
   contributors may be used to endorse or promote products derived from
   this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS"
AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
"""

NOTICES = {
    "tha3": (
        "Talking Head(?) Anime from a Single Image 3, networks by Pramook Khungurn "
        "(https://github.com/pkhungurn/talking-head-anime-3-demo),\n"
        "licensed under the Creative Commons Attribution 4.0 International Public License, whose text and\n"
        "disclaimer of warranties stand at https://creativecommons.org/licenses/by/4.0/legalcode.\n"
        "Changed by the makers of EasyVtuber: converted to ONNX, partly to half precision.\n"
    ),
    "rife": f"MIT License\n\nCopyright (c) 2021 hzwer\n\n{_MIT_TERMS}",
    "waifu2x": f"The MIT License\n\nCopyright (C) 2015 nagadomi <nagadomi@nurs.or.jp>\n\n{_MIT_TERMS}",
    "real_esrgan": f"BSD 3-Clause License\n\nCopyright (c) 2021, Xintao Wang\nAll rights reserved.\n\n{_BSD_TERMS}",
    "mediapipe": (
        "Face landmarker of MediaPipe, The MediaPipe Authors (https://github.com/google-ai-edge/mediapipe).\n"
        "Licensed under the Apache License, Version 2.0: the text stands below under mediapipe, whose\n"
        "package carries it, and at https://www.apache.org/licenses/LICENSE-2.0. Unchanged.\n"
    ),
}
"""Licences that allow passing on for every use, with the words they ask for."""

WITHHELD = {
    "tha4": "it may not be used mainly to earn money, and a package goes to people who never agreed to that",
}
"""Licences that stand against it, and how."""
