// SPDX-License-Identifier: Apache-2.0
#include "analyzer/language/parser.h"

#include <optional>

#include "analyzer/language/lexer.h"
#include "analyzer/language/suggest.h"

namespace tiercel::filter {

namespace {

constexpr std::string_view kOpList = "an operator (=, !=, <, <=, >, >=, exists, in, contains, "
                                     "icontains, startswith, endswith, glob, "
                                     "iglob, regex, pmatch, intersects, bcontains, bstartswith)";

// Hex, or a decimal number with an optional fraction and exponent.
bool is_number(std::string_view word) {
    const auto digits = [&word] {
        std::size_t count = 0;
        while (count < word.size() && word[count] >= '0' && word[count] <= '9')
            ++count;
        word.remove_prefix(count);
        return count;
    };
    if (word.size() > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X'))
        return word.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos;
    if (!word.empty() && (word[0] == '+' || word[0] == '-'))
        word.remove_prefix(1);
    if (digits() == 0)
        return false;
    if (!word.empty() && word[0] == '.') {
        word.remove_prefix(1);
        digits();
    }
    if (word.size() > 2 && (word[0] == 'e' || word[0] == 'E') &&
        (word[1] == '+' || word[1] == '-')) {
        word.remove_prefix(2);
        digits();
    }
    return word.empty();
}

class Parser {
  public:
    explicit Parser(std::string_view text) : lexer_(text) {}

    std::variant<Node, SyntaxError> run() {
        lexer_.skip_blanks();
        if (lexer_.at_end())
            return SyntaxError{{0, 1}, "the condition is empty", {}};
        Node root;
        if (parse_any(root)) {
            lexer_.skip_blanks();
            if (lexer_.at_end() && !error_)
                return root;
            fail_here(lexer_.next_is(')') ? "this ')' closes nothing" : "expected 'and' or 'or'");
        }
        return *error_;
    }

  private:
    // Counts nesting for as long as it lives.
    struct Level {
        explicit Level(Parser& parser) : parser_(parser) { ++parser_.depth_; }
        ~Level() { --parser_.depth_; }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;
        Parser& parser_;
    };

    bool fail(Span span, std::string message, std::string hint = {}) {
        if (!error_)
            error_ = SyntaxError{span, std::move(message), std::move(hint)};
        return false;
    }
    bool fail_here(std::string message, std::string hint = {}) {
        return fail(lexer_.word_at(lexer_.offset()), std::move(message), std::move(hint));
    }
    bool too_deep() {
        if (depth_ <= kMaxDepth)
            return false;
        fail_here("nested too deep");
        return true;
    }
    Span since(std::uint32_t offset) const { return {offset, lexer_.offset() - offset}; }

    bool parse_any(Node& node) { return parse_chain(node, Node::Kind::any); }

    // or-expr and and-expr differ only in their word and in what they chain.
    bool parse_chain(Node& node, Node::Kind kind) {
        const bool any = kind == Node::Kind::any;
        const std::string_view word = any ? "or" : "and";
        lexer_.skip_blanks();
        const std::uint32_t from = lexer_.offset();
        std::vector<Node> children(1);
        if (!parse_link(children.back(), any))
            return false;
        std::uint32_t end = lexer_.offset();
        for (lexer_.skip_blanks(); lexer_.take_word(word); lexer_.skip_blanks()) {
            if (!lexer_.skip_blanks() && !lexer_.next_is('('))
                return fail_here("expected a blank or '(' after '" + std::string(word) + "'");
            if (!parse_link(children.emplace_back(), any))
                return false;
            end = lexer_.offset();
        }
        if (children.size() == 1) {
            node = std::move(children[0]);
            return true;
        }
        node.kind = kind;
        node.children = std::move(children);
        node.span = {from, end - from};
        return true;
    }

    bool parse_link(Node& node, bool any) {
        return any ? parse_chain(node, Node::Kind::all) : parse_negation(node);
    }

    bool parse_negation(Node& node) {
        lexer_.skip_blanks();
        const std::uint32_t from = lexer_.offset();
        bool negated = false;
        while (lexer_.take_word("not")) {
            if (!lexer_.skip_blanks() && !lexer_.next_is('('))
                return fail_here("expected a blank or '(' after 'not'");
            negated = !negated;
        }
        if (!negated)
            return parse_primary(node);
        node.kind = Node::Kind::negation;
        if (!parse_primary(node.children.emplace_back()))
            return false;
        node.span = since(from);
        return true;
    }

    bool parse_primary(Node& node) {
        const Level level(*this);
        if (too_deep())
            return false;
        const std::uint32_t from = lexer_.offset();
        if (lexer_.take('(')) {
            if (!parse_any(node))
                return false;
            lexer_.skip_blanks();
            return lexer_.take(')') || fail_here("expected ')', or 'and' or 'or'");
        }
        Operand left;
        bool found = false;
        if (!parse_operand(left, found))
            return false;
        if (found)
            return parse_comparison(node, std::move(left), from);

        const std::string_view name = lexer_.take_identifier();
        if (name.empty() || name == "and" || name == "or" || name == "not") {
            lexer_.rewind(from);
            return fail_here("expected '(', a field or a macro");
        }
        node.kind = Node::Kind::macro;
        node.macro = name;
        node.span = since(from);
        return after_macro();
    }

    // `proc = x` and `my-macro`: mistakes that deserve better than "expected 'and' or 'or'".
    bool after_macro() {
        const std::uint32_t here = lexer_.offset();
        if (lexer_.next_is('('))
            return fail_here("no such transformer");
        lexer_.skip_blanks();
        Op op;
        const bool comparison = lexer_.take_operator(op);
        lexer_.rewind(here);
        if (comparison)
            return fail_here("a macro cannot be compared", "fields have a dot in their name");
        return true;
    }

    // A field or a transformer; `found` is false when neither comes.
    bool parse_operand(Operand& operand, bool& found) {
        const Level level(*this);
        if (too_deep())
            return false;
        const std::uint32_t from = lexer_.offset();
        if (const std::string_view name = lexer_.take_field_name(); !name.empty()) {
            found = true;
            operand.name = name;
            return parse_argument(operand, from);
        }
        const std::string_view name = lexer_.take_identifier();
        if (name.empty() || !lexer_.next_is('(') || !find_transform(name, operand.transform)) {
            lexer_.rewind(from);
            return true;
        }
        found = true;
        lexer_.take('(');
        if (!parse_transformed(operand))
            return false;
        operand.span = since(from);
        return true;
    }

    bool parse_argument(Operand& field, std::uint32_t from) {
        if (lexer_.take('[')) {
            const std::uint32_t inside = lexer_.offset();
            const Lexer::Quoted quoted = lexer_.take_quoted(field.argument);
            if (quoted == Lexer::Quoted::absent)
                field.argument = lexer_.take_bare_argument();
            else if (quoted != Lexer::Quoted::taken)
                return fail_quotes(quoted, inside);
            field.has_argument = lexer_.offset() != inside; // `field[]` is the field itself
            if (!lexer_.take(']'))
                return fail_here("expected ']'");
        }
        field.span = since(from);
        return true;
    }

    bool parse_transformed(Operand& call) {
        const bool variadic =
            call.transform == Transform::join || call.transform == Transform::concat;
        do {
            lexer_.skip_blanks();
            const std::uint32_t from = lexer_.offset();
            Operand& inner = call.operands.emplace_back();
            const Lexer::Quoted quoted =
                variadic ? lexer_.take_quoted(inner.name) : Lexer::Quoted::absent;
            if (quoted == Lexer::Quoted::taken) {
                inner.is_literal = true;
                inner.span = since(from);
            } else if (quoted != Lexer::Quoted::absent) {
                return fail_quotes(quoted, from);
            } else {
                bool found = false;
                if (!parse_operand(inner, found))
                    return false;
                if (!found)
                    return fail_here("expected a field within '" +
                                     std::string(transform_name(call.transform)) + "('");
            }
            lexer_.skip_blanks();
        } while (variadic && lexer_.take(','));
        return lexer_.take(')') || fail_here("expected ')' at the end of the transformer");
    }

    bool fail_quotes(Lexer::Quoted what, std::uint32_t from) {
        if (what == Lexer::Quoted::unterminated)
            return fail({from, 1}, "this quote is never closed");
        return fail({lexer_.offset(), 2}, "no such escape",
                    "\\\\, \\/, \\b, \\f, \\n, \\r, \\t and the quote itself can be escaped");
    }

    bool parse_comparison(Node& node, Operand left, std::uint32_t from) {
        node.kind = Node::Kind::check;
        Check& check = node.check.emplace_back();
        check.left = std::move(left);
        lexer_.skip_blanks();
        const std::uint32_t at = lexer_.offset();
        if (!lexer_.take_operator(check.op)) {
            const Span word = lexer_.word_at(at);
            return fail(word, "expected " + std::string(kOpList),
                        nearest_op(lexer_.text().substr(word.offset, word.length)));
        }
        if (check.op != Op::exists) {
            lexer_.skip_blanks();
            if (!(takes_list(check.op) ? parse_list(check) : parse_value(check)))
                return false;
        }
        node.span = since(from);
        return true;
    }

    static std::string nearest_op(std::string_view word) {
        Suggestion best(word);
        for (int i = 0; i <= static_cast<int>(Op::pmatch); ++i)
            best.consider(op_name(static_cast<Op>(i)));
        return best.hint();
    }

    // A field's value on the right: val(field), or a transformer. `found` is false when neither
    // comes.
    bool parse_right_operand(Check& check, bool& found) {
        const std::uint32_t from = lexer_.offset();
        Transform transform;
        const bool call =
            find_transform(lexer_.take_identifier(), transform) && lexer_.next_is('(');
        lexer_.rewind(from);
        return !call || parse_operand(check.right.emplace_back(), found);
    }

    bool parse_value(Check& check) {
        bool found = false;
        if (!parse_right_operand(check, found))
            return false;
        if (found)
            return true;
        const bool number =
            check.op == Op::lt || check.op == Op::le || check.op == Op::gt || check.op == Op::ge;
        if (number) {
            const std::uint32_t from = lexer_.offset();
            const std::string_view word = lexer_.take_bare_value();
            if (!is_number(word))
                return fail(lexer_.word_at(from),
                            "expected a number after '" + std::string(op_name(check.op)) + "'");
            check.values.push_back({std::string(word), false, since(from)});
            return true;
        }
        return parse_literal(check);
    }

    bool parse_literal(Check& check) {
        const std::uint32_t from = lexer_.offset();
        Literal literal;
        const Lexer::Quoted quoted = lexer_.take_quoted(literal.text);
        if (quoted == Lexer::Quoted::taken)
            literal.quoted = true;
        else if (quoted != Lexer::Quoted::absent)
            return fail_quotes(quoted, from);
        else
            literal.text = lexer_.take_bare_value();
        if (!literal.quoted && literal.text.empty())
            return fail_here("expected a value");
        literal.span = since(from);
        check.values.push_back(std::move(literal));
        return true;
    }

    bool parse_list(Check& check) {
        if (!lexer_.take('(')) {
            bool found = false;
            if (!parse_right_operand(check, found))
                return false;
            if (found)
                return true;
            const std::uint32_t from = lexer_.offset();
            const std::string_view name = lexer_.take_bare_value();
            if (name.empty())
                return fail_here("expected a list, or the name of one");
            check.values.push_back({std::string(name), false, since(from)});
            return true;
        }
        lexer_.skip_blanks();
        if (lexer_.take(')'))
            return true;
        do {
            lexer_.skip_blanks();
            if (!parse_literal(check))
                return false;
            lexer_.skip_blanks();
        } while (lexer_.take(','));
        return lexer_.take(')') || fail_here("expected ',' or ')'");
    }

    Lexer lexer_;
    unsigned depth_ = 0;
    std::optional<SyntaxError> error_;
};

} // namespace

std::variant<Node, SyntaxError> parse(std::string_view condition) {
    return Parser(condition).run();
}

bool unquote_item(std::string_view item, std::string& value, bool& quoted) {
    Lexer lexer(item);
    const Lexer::Quoted own = lexer.take_quoted(value);
    if (own == Lexer::Quoted::taken) {
        quoted = true;
        return lexer.at_end();
    }
    if (own != Lexer::Quoted::absent)
        return false;
    quoted = item.find(' ') != std::string_view::npos;
    if (quoted) {
        const std::string wrapped = '"' + std::string(item) + '"';
        Lexer whole(wrapped);
        if (whole.take_quoted(value) == Lexer::Quoted::taken && whole.at_end())
            return true;
    }
    value = item;
    return true;
}

} // namespace tiercel::filter
