// SPDX-License-Identifier: Apache-2.0
// Tells Coverage which tests failed, for the results that the conformance suite collects.
#include <doctest/doctest.h>

#include "tests/live/harness/coverage.h"

namespace tiercel::live {

namespace {

class Listener : public doctest::IReporter {
  public:
    explicit Listener(const doctest::ContextOptions& /*options*/) {}
    void test_case_start(const doctest::TestCaseData& test) override { name_ = test.m_name; }
    void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
        if (!stats.testCaseSuccess)
            Coverage::get().test_failed(name_);
    }

    void report_query(const doctest::QueryData& /*query*/) override {}
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats& /*stats*/) override {}
    void test_case_reenter(const doctest::TestCaseData& /*test*/) override {}
    void test_case_exception(const doctest::TestCaseException& /*exception*/) override {}
    void subcase_start(const doctest::SubcaseSignature& /*subcase*/) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData& /*assertion*/) override {}
    void log_message(const doctest::MessageData& /*message*/) override {}
    void test_case_skipped(const doctest::TestCaseData& /*test*/) override {}

  private:
    const char* name_ = "";
};

REGISTER_LISTENER("coverage", 1, Listener);

} // namespace
} // namespace tiercel::live
