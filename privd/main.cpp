// SPDX-License-Identifier: Apache-2.0
//
// The entry of privd, privd-classic and privd-module, which differ in the driver alone: the
// privileged helper loads the probe, passes its rings to the analyzer, and exits.
#include "privd/server.h"

int main(int argc, char** argv) {
    return tiercel::privd::run(tiercel::privd::TIERCEL_DRIVER, argc, argv);
}
