// SPDX-License-Identifier: Apache-2.0
#include "analyzer/match/slot_reader.h"

namespace tiercel::filter {

SlotReader::SlotReader(const std::vector<Slot>& slots)
    : slots_(slots), values_(slots.size()), scratch_(slots.size()), literals_(slots.size()) {
    for (std::size_t id = 0; id < slots.size(); ++id)
        for (const Slot::Input& input : slots[id].inputs)
            literals_[id].push_back({input.literal, 0, 0});
}

const Values& SlotReader::fetch(SlotId id) {
    Fetched& fetched = values_[id];
    if (fetched.epoch == epoch_)
        return fetched.values;
    const Slot& slot = slots_[id];
    fetched.values = slot.transform == Transform::none ? event_->fetch(slot.use.id, fetched.single)
                                                       : compute(slot, id);
    fetched.epoch = epoch_;
    ++fetched_;
    return fetched.values;
}

Values SlotReader::compute(const Slot& slot, SlotId id) {
    Scratch& scratch = scratch_[id];
    scratch.inputs.clear();
    scratch.types.clear();
    for (std::size_t i = 0; i < slot.inputs.size(); ++i) {
        const SlotId input = slot.inputs[i].slot;
        scratch.inputs.push_back(input == kNoSlot ? Values{true, &literals_[id][i], 1}
                                                  : fetch(input));
        scratch.types.push_back(input == kNoSlot ? ValueType::text : slots_[input].use.type);
    }
    return transform(slot, scratch);
}

} // namespace tiercel::filter
