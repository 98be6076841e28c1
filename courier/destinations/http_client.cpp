// SPDX-License-Identifier: Apache-2.0
//
// Implements the HTTP client by libcurl's easy interface.
#include "courier/destinations/http_client.h"

#include <curl/curl.h>
#include <zlib.h>

#include "shared/os/result.h"

namespace tiercel::courier {

namespace {

constexpr std::size_t kMostAnswer = 1 << 20;
constexpr long kConnectSeconds = 10;
constexpr int kGzip = 16; // zlib: with the head of gzip

std::size_t keep(char* bytes, std::size_t, std::size_t count, void* answer) {
    auto& body = *static_cast<std::string*>(answer);
    if (body.size() < kMostAnswer)
        body.append(bytes, count);
    return count;
}

// Returns an empty text if memory is short.
std::string compressed(const std::string& body) {
    z_stream stream{};
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + kGzip, MAX_MEM_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return "";
    std::string packed(deflateBound(&stream, static_cast<uLong>(body.size())), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream.avail_in = static_cast<uInt>(body.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
    packed.resize(whole ? stream.total_out : 0);
    deflateEnd(&stream);
    return packed;
}

void set_text(CURL* easy, CURLoption option, const std::string& text) {
    if (!text.empty())
        curl_easy_setopt(easy, option, text.c_str());
}

} // namespace

struct HttpClient::State {
    CURL* easy = nullptr;
    std::string url;
    std::vector<std::string> headers;
    bool compress = false, echo = false;
    char error[CURL_ERROR_SIZE] = "";
};

std::string HttpClient::check(const Options& options) {
    const std::string& url = options.text("url");
    const bool secure = url.starts_with("https://");
    if (!secure && !url.starts_with("http://"))
        return "'url' must begin with https:// or http://";
    if (!secure && !is_local(url) && !options.flag("plain_text"))
        return "'url' is another machine without TLS: use https://, or set plain_text: true";
    if (std::string wrong = unreadable_file(
            options, {"ca_cert", "ca_bundle", "ca_path", "client_cert", "client_key"});
        !wrong.empty())
        return wrong;
    if (options.flag("mtls") &&
        (options.text("client_cert").empty() || options.text("client_key").empty()))
        return "'mtls' needs client_cert and client_key";
    return "";
}

HttpClient::HttpClient(const Options& options) : state_(std::make_unique<State>()) {
    State& state = *state_;
    state.easy = curl_easy_init();
    state.url = options.text("url");
    state.headers = options.list("headers");
    state.compress = options.flag("compress_uploads");
    state.echo = options.flag("echo");
    CURL* easy = state.easy;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, state.error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, static_cast<long>(options.number("timeout")));
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, options.flag("keep_alive") ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options.flag("insecure") ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options.flag("insecure") ? 0L : 2L);
    set_text(easy, CURLOPT_USERAGENT, options.text("user_agent"));
    set_text(easy, CURLOPT_CAINFO, options.text("ca_cert"));
    set_text(easy, CURLOPT_CAINFO, options.text("ca_bundle"));
    set_text(easy, CURLOPT_CAPATH, options.text("ca_path"));
    if (options.flag("mtls")) {
        set_text(easy, CURLOPT_SSLCERT, options.text("client_cert"));
        set_text(easy, CURLOPT_SSLKEY, options.text("client_key"));
    }
}

HttpClient::~HttpClient() {
    curl_easy_cleanup(state_->easy);
}

HttpClient::Answer HttpClient::post(const std::string& body, const std::string& suffix,
                                    const std::vector<std::string>& headers) {
    State& state = *state_;
    Answer answer;
    const std::string packed = state.compress ? compressed(body) : std::string();
    const std::string& sent = packed.empty() ? body : packed;
    curl_slist* list = curl_slist_append(nullptr, "Expect:"); // no round trip before the body
    for (const std::vector<std::string>* some :
         {static_cast<const std::vector<std::string>*>(&state.headers), &headers})
        for (const std::string& header : *some)
            list = curl_slist_append(list, header.c_str());
    if (!packed.empty())
        list = curl_slist_append(list, "Content-Encoding: gzip");
    const std::string url = state.url + suffix;
    curl_easy_setopt(state.easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(state.easy, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(state.easy, CURLOPT_POSTFIELDS, sent.data());
    curl_easy_setopt(state.easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(sent.size()));
    curl_easy_setopt(state.easy, CURLOPT_WRITEDATA, &answer.body);
    state.error[0] = '\0';
    const CURLcode code = curl_easy_perform(state.easy);
    curl_slist_free_all(list);
    if (code == CURLE_OK)
        curl_easy_getinfo(state.easy, CURLINFO_RESPONSE_CODE, &answer.status);
    else
        answer.error = state.error[0] != '\0' ? state.error : curl_easy_strerror(code);
    if (state.echo && code == CURLE_OK)
        os::write_stderr("tiercel-courier: %s answers %ld: %.500s\n", url.c_str(), answer.status,
                         answer.body.c_str());
    return answer;
}

// A receiver that says that the request itself is wrong will say so again. All other failures,
// which include wrong credentials and a wrong path, are mended at the receiver or by the
// administrator.
Sent HttpClient::judge(const Answer& answer, std::size_t records) {
    if (answer.status >= 200 && answer.status < 300)
        return {records, Sent::Outcome::done, ""};
    if (answer.status == 0)
        return {0, Sent::Outcome::retry, answer.error};
    const std::string error =
        "HTTP status " + std::to_string(answer.status) + ": " + answer.body.substr(0, 200);
    const bool wrong = answer.status == 400 || answer.status == 413 || answer.status == 422;
    return {0, wrong ? Sent::Outcome::refused : Sent::Outcome::retry, error};
}

} // namespace tiercel::courier
