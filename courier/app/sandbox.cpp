// SPDX-License-Identifier: Apache-2.0
#include "courier/app/sandbox.h"

#include "courier/confine/confine.h"

namespace tiercel::courier {

os::Result<void> enter_sandbox(const Config& config) {
    std::vector<std::string> files;
    for (const Options& options : config.destinations)
        for (const char* key :
             {"ca_cert", "ca_bundle", "ca_path", "client_cert", "client_key", "credentials"})
            if (const std::string& path = options.text(key); !path.empty())
                files.push_back(path);
    if (auto given = give_up_privileges(); !given)
        return given;
    return confine_to_network(files, config.courier.text("spool.path"), "tiercel-courier");
}

} // namespace tiercel::courier
