// SPDX-License-Identifier: Apache-2.0
//
// The library's own tree is not used: it is built before anyone can say that it is too big, and for
// some damaged files without end. Its parser's events are; they can be stopped at any time.
#include "shared/document/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <unordered_map>

#include "shared/os/file.h"

namespace tiercel::config {

namespace {

constexpr std::size_t kMaxNodes = 1'000'000;
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxDocuments = 1'000;
constexpr std::size_t kMaxKeys = 10'000; // of a mapping, because find() compares them all
constexpr std::size_t kMaxAliased = std::size_t{4} << 20; // bytes of text that aliases repeat

Mark mark_of(const YAML::Mark& mark) {
    if (mark.is_null())
        return {};
    return {static_cast<std::uint32_t>(mark.pos), static_cast<std::uint32_t>(mark.line) + 1,
            static_cast<std::uint32_t>(mark.column) + 1};
}

struct Size {
    std::size_t nodes = 0, bytes = 0;
};

void add_size(const DocumentNode& node, Size& size) {
    ++size.nodes;
    size.bytes += node.scalar.size();
    for (const DocumentNode& key : node.keys)
        add_size(key, size);
    for (const DocumentNode& item : node.items)
        add_size(item, size);
}

// Puts nodes together as the parser meets their parts. Throws DocumentError, through the parser, to
// stop it.
class Builder : public YAML::EventHandler {
  public:
    std::vector<DocumentNode> documents;

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (documents.size() >= kMaxDocuments)
            throw DocumentError{mark_of(mark), "too many documents, or a damaged one"};
        anchors_.clear();
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        finish(start(mark, DocumentNode::Kind::null), anchor);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end())
            throw DocumentError{mark_of(mark), "this alias stands within what it refers to"};
        add_copy(found->second, mark_of(mark));
        attach(found->second);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        DocumentNode node = start(mark, DocumentNode::Kind::scalar);
        node.scalar = value;
        node.quoted = tag == "!";
        finish(std::move(node), anchor);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open_.push_back({start(mark, DocumentNode::Kind::sequence), anchor});
    }
    void OnSequenceEnd() override { finish_open(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open_.push_back({start(mark, DocumentNode::Kind::mapping), anchor});
    }
    void OnMapEnd() override { finish_open(); }

  private:
    struct Open {
        DocumentNode node;
        YAML::anchor_t anchor;
    };

    void add_nodes(std::size_t count, const Mark& mark) {
        nodes_ += count;
        if (nodes_ > kMaxNodes)
            throw DocumentError{mark, "too many nodes (are aliases nested?)"};
    }

    // Counts a node that is kept twice.
    void add_copy(const DocumentNode& node, const Mark& mark) {
        Size size;
        add_size(node, size);
        add_nodes(size.nodes, mark);
        aliased_ += size.bytes;
        if (aliased_ > kMaxAliased)
            throw DocumentError{mark, "aliases repeat more than 4 MiB of text"};
    }

    DocumentNode start(const YAML::Mark& mark, DocumentNode::Kind kind) {
        DocumentNode node;
        node.kind = kind;
        node.mark = mark_of(mark);
        add_nodes(1, node.mark);
        if (open_.size() >= kMaxDepth)
            throw DocumentError{node.mark, "nested too deep"};
        return node;
    }

    void finish_open() {
        Open last = std::move(open_.back());
        open_.pop_back();
        finish(std::move(last.node), last.anchor);
    }

    void finish(DocumentNode node, YAML::anchor_t anchor) {
        if (anchor != YAML::NullAnchor) {
            add_copy(node, node.mark);
            anchors_[anchor] = node;
        }
        attach(std::move(node));
    }

    void attach(DocumentNode node) {
        if (open_.empty()) {
            documents.push_back(std::move(node));
            return;
        }
        DocumentNode& around = open_.back().node;
        const bool key = around.is_mapping() && around.keys.size() == around.items.size();
        if (key && !node.is_scalar())
            throw DocumentError{node.mark.line != 0 ? node.mark : around.mark,
                                "a key must be a word"};
        if (key && around.keys.size() >= kMaxKeys)
            throw DocumentError{node.mark, "a mapping has more than 10,000 keys"};
        (key ? around.keys : around.items).push_back(std::move(node));
    }

    std::vector<Open> open_;
    std::unordered_map<YAML::anchor_t, DocumentNode> anchors_;
    std::size_t nodes_ = 0, aliased_ = 0;
};

} // namespace

const DocumentNode* DocumentNode::find(std::string_view key) const {
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i].scalar == key)
            return &items[i];
    }
    return nullptr;
}

const DocumentNode* DocumentNode::find_key(std::string_view key) const {
    const auto found = std::find_if(keys.begin(), keys.end(),
                                    [key](const DocumentNode& node) { return node.scalar == key; });
    return found == keys.end() ? nullptr : &*found;
}

std::variant<std::vector<DocumentNode>, DocumentError> read_document(std::string_view text) {
    // The library reports by exceptions of its own, and for some inputs by plain std ones.
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        Builder builder;
        while (parser.HandleNextDocument(builder)) {
        }
        return std::move(builder.documents);
    } catch (const DocumentError& error) {
        return error;
    } catch (const YAML::Exception& exception) {
        return DocumentError{mark_of(exception.mark), exception.msg};
    } catch (const std::exception& exception) {
        return DocumentError{{}, exception.what()};
    }
}

bool read_bool(std::string_view text, bool& value) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    }
    constexpr std::array<std::string_view, 4> kYes = {"true", "yes", "on", "y"};
    constexpr std::array<std::string_view, 4> kNo = {"false", "no", "off", "n"};
    value = std::find(kYes.begin(), kYes.end(), lower) != kYes.end();
    return value || std::find(kNo.begin(), kNo.end(), lower) != kNo.end();
}

std::optional<std::uint64_t> read_size(std::string_view text) {
    unsigned shift = 0;
    if (!text.empty()) {
        const char unit = text.back();
        shift = unit == 'K' || unit == 'k'   ? 10
                : unit == 'M' || unit == 'm' ? 20
                : unit == 'G' || unit == 'g' ? 30
                                             : 0;
    }
    if (shift != 0)
        text.remove_suffix(1);
    const auto number = os::parse_unsigned(text);
    if (!number || *number > (UINT64_MAX >> shift))
        return std::nullopt;
    return *number << shift;
}

} // namespace tiercel::config
