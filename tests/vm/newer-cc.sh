#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# newer-cc.sh: runs Debian 12's compiler on headers that were configured for a newer one. It leaves out or translates options
# that the compiler does not know. For tests only, because a distribution builds modules with its own compiler.
arguments=()
for argument in "$@"; do
    case $argument in
        -fmin-function-alignment=*) arguments+=("-falign-functions=${argument#*=}") ;;
        *) arguments+=("$argument") ;;
    esac
done
exec gcc "${arguments[@]}"
