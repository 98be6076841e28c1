// SPDX-License-Identifier: Apache-2.0
//
// Parser: a recursive descent parser with one function for each rule of the grammar in parser.h.
#include "analyzer/language/parser.h"

#include <optional>

#include "analyzer/language/lexer.h"
#include "analyzer/language/suggest.h"

namespace tiercel::filter {

namespace {

std::string operator_list() {
    std::string text = "an operator (";
    for (const OpInfo& op : operators()) {
        text += op.name;
        text += ", ";
    }
    text.resize(text.size() - 2);
    return text + ')';
}

std::string in_quotes(std::string_view name) {
    return '\'' + std::string(name) + '\'';
}

// Returns true for a hexadecimal number, and for a decimal one with an optional fraction and
// exponent.
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

    std::variant<Operand, SyntaxError> run_operand(std::size_t& length) {
        Operand operand;
        bool found = false;
        if (!parse_operand(operand, found))
            return *error_;
        if (!found)
            return SyntaxError{{0, 1}, "expected a field or a transformer", {}};
        length = lexer_.offset();
        return operand;
    }

  private:
    // Increases the depth for the lifetime of the object.
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
    bool too_many() {
        if (++checks_ <= kMaxChecks)
            return false;
        fail_here("the condition has more than " + std::to_string(kMaxChecks) + " comparisons",
                  "compare with a list: `FIELD in (a, b)`");
        return true;
    }
    Span since(std::uint32_t offset) const { return {offset, lexer_.offset() - offset}; }

    bool parse_any(Node& node) { return parse_chain(node, Node::Kind::any); }

    // or-expr and and-expr differ in their word and in the rule of their parts.
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
        if (too_deep() || too_many())
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

    // Reports `proc = x` and `lower(x)` by their real mistake, not by "expected 'and' or 'or'".
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

    // Parses a field or a transformer; `found` is false if there is neither. `val` counts only on
    // the right side.
    bool parse_operand(Operand& operand, bool& found, bool right_side = false) {
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
        operand.kind = Operand::Kind::call;
        const bool field_only = info(operand.transform).form == TransformForm::field;
        if (field_only && !right_side)
            return fail({from, static_cast<std::uint32_t>(name.size())},
                        in_quotes(name) +
                            " stands only by itself on the right side of an operator");
        lexer_.take('(');
        if (!(field_only ? parse_only_field(operand) : parse_parts(operand, true)))
            return false;
        return parse_argument(operand, from);
    }

    // The optional argument in brackets ends a field or a transformer.
    bool parse_argument(Operand& operand, std::uint32_t from) {
        if (lexer_.take('[')) {
            const std::uint32_t inside = lexer_.offset();
            const Lexer::Quoted quotes = lexer_.take_quoted(operand.argument);
            if (quotes == Lexer::Quoted::absent)
                operand.argument = lexer_.take_bare_argument();
            else if (quotes != Lexer::Quoted::taken)
                return fail_quotes(quotes, inside);
            operand.has_argument = true;
            if (lexer_.offset() == inside)
                return fail_here("expected an argument within the brackets");
            if (!lexer_.take(']'))
                return fail_here("expected ']'");
        }
        operand.span = since(from);
        return true;
    }

    bool parse_only_field(Operand& call) {
        lexer_.skip_blanks();
        const std::uint32_t from = lexer_.offset();
        Operand& field = call.operands.emplace_back();
        field.name = lexer_.take_field_name();
        if (field.name.empty())
            return fail_here("expected a field within '" +
                             std::string(transform_name(call.transform)) + "('");
        if (!parse_argument(field, from))
            return false;
        lexer_.skip_blanks();
        return lexer_.take(')') || fail_here("expected ')' at the end of the transformer");
    }

    // The parts of a transformer, or those of a list within one, up to the closing parenthesis.
    bool parse_parts(Operand& whole, bool lists) {
        const Level level(*this);
        if (too_deep())
            return false;
        lexer_.skip_blanks();
        if (!lists && lexer_.take(')'))
            return true;
        do {
            lexer_.skip_blanks();
            if (!parse_part(whole.operands.emplace_back(), lists))
                return false;
            lexer_.skip_blanks();
        } while (lexer_.take(','));
        return lexer_.take(')') || fail_here(lists ? "expected ')' at the end of the transformer"
                                                   : "expected ')' at the end of the list");
    }

    bool parse_part(Operand& part, bool lists) {
        const std::uint32_t from = lexer_.offset();
        if (lists && lexer_.take('(')) {
            part.kind = Operand::Kind::list;
            const bool good = parse_parts(part, false);
            part.span = since(from);
            return good;
        }
        const Lexer::Quoted quotes = lexer_.take_quoted(part.name);
        if (quotes == Lexer::Quoted::unterminated || quotes == Lexer::Quoted::bad_escape)
            return fail_quotes(quotes, from);
        if (quotes == Lexer::Quoted::absent) {
            bool found = false;
            if (!parse_operand(part, found))
                return false;
            if (found)
                return true;
            part.name = lexer_.take_bare_value();
            if (!is_number(part.name)) {
                lexer_.rewind(from);
                return fail_here("expected a field, a quoted text or a number");
            }
        }
        part.kind = Operand::Kind::literal;
        part.span = since(from);
        return true;
    }

    bool fail_quotes(Lexer::Quoted what, std::uint32_t from) {
        if (what == Lexer::Quoted::unterminated)
            return fail({from, 1}, "this quote is never closed");
        return fail({lexer_.offset(), 2}, "no such escape",
                    "\\\\, \\/, \\b, \\f, \\n, \\r, \\t, \\xHH and the quote itself are escapes");
    }

    bool parse_comparison(Node& node, Operand left, std::uint32_t from) {
        node.kind = Node::Kind::check;
        Check& check = node.check.emplace_back();
        check.left = std::move(left);
        lexer_.skip_blanks();
        const std::uint32_t at = lexer_.offset();
        if (!lexer_.take_operator(check.op)) {
            const Span word = lexer_.word_at(at);
            return fail(word, "expected " + operator_list(),
                        nearest_op(lexer_.text().substr(word.offset, word.length)));
        }
        if (!parse_right_side(check))
            return false;
        node.span = since(from);
        return true;
    }

    static std::string nearest_op(std::string_view word) {
        Suggestion best(word);
        for (const OpInfo& op : operators())
            best.consider(op.name);
        return best.hint();
    }

    bool parse_right_side(Check& check) {
        const RightSide right = info(check.op).right;
        const bool blank = right != RightSide::nothing && lexer_.skip_blanks();
        switch (right) {
        case RightSide::nothing: return true;
        case RightSide::number: return parse_value(check, true);
        case RightSide::list: return parse_list(check);
        case RightSide::value:
            return blank && lexer_.take_quantifier(check.quantifier) ? parse_plain_list(check)
                                                                     : parse_value(check, false);
        }
        return false;
    }

    // Parses a field's value on the right side: val(field), or a transformer. `found` is false if
    // there is neither.
    bool parse_right_operand(Check& check, bool& found) {
        const std::uint32_t from = lexer_.offset();
        Transform transform;
        const bool call =
            find_transform(lexer_.take_identifier(), transform) && lexer_.next_is('(');
        lexer_.rewind(from);
        return !call || parse_operand(check.right.emplace_back(), found, true);
    }

    bool parse_value(Check& check, bool number) {
        bool found = false;
        if (!parse_right_operand(check, found))
            return false;
        if (found)
            return true;
        if (!number)
            return parse_literal(check);
        const std::uint32_t from = lexer_.offset();
        const std::string_view word = lexer_.take_bare_value();
        if (!is_number(word))
            return fail(lexer_.word_at(from),
                        "expected a number after " + in_quotes(op_name(check.op)));
        check.values.push_back({std::string(word), false, since(from)});
        return true;
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
        bool found = false;
        if (!lexer_.next_is('(') && !parse_right_operand(check, found))
            return false;
        return found || parse_plain_list(check);
    }

    // Parses a list in parentheses, or the name of one.
    bool parse_plain_list(Check& check) {
        if (!lexer_.take('(')) {
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
    unsigned checks_ = 0;
    std::optional<SyntaxError> error_;
};

} // namespace

std::variant<Node, SyntaxError> parse(std::string_view condition) {
    return Parser(condition).run();
}

std::variant<Operand, SyntaxError> parse_operand(std::string_view text, std::size_t& length) {
    return Parser(text).run_operand(length);
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
