#!/bin/sh
# inside.sh ROOT [rw=PATH | ro=PATH]... -- COMMAND ARGUMENT...
# Runs a command with ROOT as its root folder, and the paths named at their own places in it. To be started in mount and
# process namespaces of its own: what is mounted here is seen by nobody else and is gone when the command ends.
set -eu
root=$1
shift
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
while [ "$1" != -- ]; do
    path=${1#*=}
    mkdir -p "$root$path"
    case $1 in
        ro=*) mount --bind -o ro "$path" "$root$path" ;;
        rw=*) mount --bind "$path" "$root$path" ;;
    esac
    shift
done
shift
exec chroot "$root" "$@"
