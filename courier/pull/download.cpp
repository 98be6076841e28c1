// SPDX-License-Identifier: Apache-2.0
//
// Implements the download by libcurl. The process that has the network writes into two files in
// memory, and ends. Its parent takes copies of their bytes, so that nothing can change them later.
#include "courier/pull/download.h"

#include <curl/curl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "courier/confine/confine.h"
#include "courier/pull/child.h"
#include "shared/os/unique_fd.h"

namespace tiercel::courier {

namespace {

constexpr std::size_t kMostSignature = 4 << 10;
constexpr std::size_t kMostTarball = 16 << 20;
constexpr long kConnectSeconds = 10, kMostRedirects = 5;
constexpr unsigned kGraceSeconds = 5; // for the process as a whole, beyond rules.timeout

struct File {
    int fd;
    std::size_t room;
};

// Returns fewer bytes than it was given if there is no room, which ends the transfer.
std::size_t write_body(const char* bytes, std::size_t, std::size_t count, void* context) {
    auto& file = *static_cast<File*>(context);
    if (count > file.room)
        return 0;
    file.room -= count;
    return write(file.fd, bytes, count) == static_cast<ssize_t>(count) ? count : 0;
}

// Returns false after printing why.
bool get(CURL* easy, const std::string& url, int fd, std::size_t most) {
    File file{fd, most};
    char why[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &file);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(most));
    const CURLcode code = curl_easy_perform(easy);
    if (code == CURLE_OK)
        return true;
    if (code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED)
        os::write_stderr("tiercel-pull: cannot download %s: it has more than %zu bytes\n",
                         url.c_str(), most);
    else
        os::write_stderr("tiercel-pull: cannot download %s: %s\n", url.c_str(),
                         why[0] != '\0' ? why : curl_easy_strerror(code));
    return false;
}

// Runs in the process that has the network.
int get_both(const std::string& url, const Options& options, int signature, int tarball) {
    const rlimit most{kMostTarball, kMostTarball};
    setrlimit(RLIMIT_FSIZE, &most);
    std::signal(SIGPIPE, SIG_IGN);
    const std::string& authority = options.text("rules.ca_cert");
    std::vector<std::string> files;
    if (!authority.empty())
        files.push_back(authority);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (auto confined = confine_to_network(files, "", "tiercel-pull"); !confined) {
        os::print("tiercel-pull", confined.error(), "");
        return 1;
    }
    const bool plain = options.flag("rules.plain_text") || is_local(url);
    CURL* easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, plain ? "http,https" : "https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR,
                     options.flag("rules.plain_text") ? "http,https" : "https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kMostRedirects);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, static_cast<long>(options.number("rules.timeout")));
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tiercel-pull/" TIERCEL_VERSION);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write_body);
    if (!authority.empty())
        curl_easy_setopt(easy, CURLOPT_CAINFO, authority.c_str());
    const bool good = get(easy, url + ".minisig", signature, kMostSignature) &&
                      get(easy, url, tarball, kMostTarball);
    return good ? 0 : 1;
}

// The child may have written anything, and any amount.
bool take(int fd, std::size_t most, std::string& bytes) {
    struct stat status {};
    if (fstat(fd, &status) != 0 || static_cast<std::size_t>(status.st_size) > most)
        return false;
    bytes.resize(static_cast<std::size_t>(status.st_size));
    return pread(fd, bytes.data(), bytes.size(), 0) == status.st_size;
}

} // namespace

std::string check_url(const std::string& url, const Options& options) {
    const bool secure = url.starts_with("https://");
    if (!secure && !url.starts_with("http://"))
        return "it must begin with https:// or http://";
    if (!secure && !is_local(url) && !options.flag("rules.plain_text"))
        return "it is another machine without TLS: use https://, or set rules.plain_text: true";
    if (url.find_first_of("?#") != std::string::npos)
        return "it must end with the file's name, because .minisig is put behind it";
    return "";
}

Downloaded download(const std::string& url, const Options& options) {
    const os::UniqueFd signature(memfd_create("signature", MFD_CLOEXEC));
    const os::UniqueFd tarball(memfd_create("tarball", MFD_CLOEXEC));
    const auto seconds = static_cast<unsigned>(options.number("rules.timeout")) + kGraceSeconds;
    const std::string fault = run_in_child("tiercel-pull-get", seconds, [&] {
        return get_both(url, options, signature.get(), tarball.get());
    });
    Downloaded got;
    if (!fault.empty() && !fault.starts_with("exit code"))
        os::write_stderr("tiercel-pull: cannot download %s: %s\n", url.c_str(), fault.c_str());
    if (!fault.empty())
        return got;
    got.good = take(signature.get(), kMostSignature, got.signature) &&
               take(tarball.get(), kMostTarball, got.tarball);
    if (!got.good)
        os::write_stderr("tiercel-pull: cannot download %s: its size is out of the limits\n",
                         url.c_str());
    return got;
}

} // namespace tiercel::courier
