// SPDX-License-Identifier: Apache-2.0
#include "analyzer/ring/progress.h"

namespace tiercel::ring {

// A record whose end is noted is done, although its reader ended before it noted that too.
Progress::Place Progress::current() const {
    const Place now = place(load(shared().ring_and_one), load(shared().position));
    return is_done(now) ? Place{} : now;
}

Progress::Place Progress::start_reader() const {
    Shared& all = shared();
    const Place died_at = current();
    const bool guilty = died_at && (all.signal != 0 || died_at == unfinished());
    all.suspect_ring_and_one = died_at && !guilty ? died_at.ring + 1 : 0;
    all.suspect_position = died_at.position;
    all.signal = 0;
    store(all.ring_and_one, 0);
    ++all.readers;
    ++all.barren;
    return guilty ? died_at : Place{};
}

} // namespace tiercel::ring
