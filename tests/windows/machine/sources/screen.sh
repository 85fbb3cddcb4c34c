#!/bin/sh
# screen.sh PROGRAM ARGUMENT...: runs a Windows program on a virtual screen of its own. Wine finds graphics cards by the
# screens they drive.
told=$(mktemp)
Xvfb -displayfd 7 -screen 0 1280x800x24 +extension GLX -nolisten tcp 7>"$told" >/dev/null 2>&1 &
screen=$!
waited=0
until [ -s "$told" ]; do
    sleep 0.1
    waited=$((waited + 1))
    if [ $waited -gt 200 ] || ! kill -0 $screen 2>/dev/null; then
        echo "the virtual screen did not start" >&2
        exit 3
    fi
done
DISPLAY=:$(cat "$told")
export DISPLAY
rm -f "$told"
"$@"
exit $?
