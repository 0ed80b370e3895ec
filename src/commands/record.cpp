// SPDX-License-Identifier: MIT
// Raw jitter samples for an assessment, taken as load takes them; and with --judge, what load's own tests say of such a
// recording, or of any other clock's. Needs no root and no store; works in the initrd.
#include "commands/record.hpp"

#include "base/text.hpp"
#include "commands/input.hpp"
#include "credit/policy.hpp"
#include "jitter/collect.hpp"
#include "system/process.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

namespace {

constexpr Log kLog("record", Log::Audience::person);

int cannot_record(const Line& line) {
    kLog.warn(line);
    return kExitUsage;
}

// Writes through a buffer; the first error stays, and ends all writing.
class BufferedOutput {
public:
    explicit BufferedOutput(kernel::File file) : file_(std::move(file)) {}
    void add(std::span<const std::uint8_t> bytes) {
        for (std::uint8_t byte : bytes) {
            buffer_[size_++] = byte;
            if (size_ == buffer_.size()) ignore(flush());  // it is kept
        }
    }
    Status flush() {
        if (status_) status_ = kernel::write_bytes(file_, std::span(buffer_).first(size_));
        size_ = 0;
        return status_;
    }

private:
    kernel::File file_;
    Bytes<4096> buffer_;
    std::size_t size_ = 0;
    Status status_;
};

int record_samples(const RecordOptions& options) {
    bool to_file = options.file.view() != "-"sv;
    auto file = to_file ? kernel::create(options.file.c_str()) : Result<kernel::File>(kernel::standard_output());
    if (!file) return cannot_record(describe(file.error(), options.file.view()));
    BufferedOutput output(std::move(*file));

    bool text = options.format.view() == "text"sv;
    bool low_bytes = options.format.view() == "bytes"sv;
    if (text) {
        Line head("# ");
        head.add(CpuCounter::kName, "; ", kWalkAccesses, " accesses to ", std::uint64_t{kWalkBytes >> 10},
                 " KiB a sample; the time between batches of ", std::uint64_t{kBatchSamples}, " is left out\n");
        output.add(bytes_of(head.view()));
    }
    kernel::pin_to_current_cpu();
    memory_walk.prepare();
    std::uint64_t stamp = CpuCounter::now();
    if (text) output.add(bytes_of(Word().add(stamp, "\n").view()));
    SecretArray<std::uint64_t, kBatchSamples> batch;
    for (std::uint64_t left = options.samples; left > 0;) {
        memory_walk.sample<CpuCounter>(batch.span());
        for (std::uint64_t delta : batch.span()) {
            if (left == 0) break;
            left--;
            stamp += delta;
            Bytes<8> word;
            write_le(word, delta);
            if (text)
                output.add(bytes_of(Word().add(stamp, "\n").view()));
            else
                output.add(std::span(word).first(low_bytes ? 1 : 8));
        }
        if (!output.flush()) break;
    }
    Status written = output.flush();
    return written ? kExitDone : cannot_record(describe(written.error(), options.file.view()));
}

// A time stamp a line, in decimal; '#' begins a comment; empty lines are skipped.
class Recording {
public:
    void add(char c) {
        if (c == '\n') return end_line();
        if (c == '#') comment_ = true;
        if (!comment_) line_.add(c);
    }
    void end_line() {
        line_number_++;
        std::string_view word = trim(line_.view());
        auto stamp = parse_number(word);
        if (!word.empty() && (!stamp || line_.full()) && bad_line_ == 0) bad_line_ = line_number_;
        if (!word.empty() && stamp) add_stamp(*stamp);
        line_.clear();
        comment_ = false;
    }

    JitterJudge judge;
    // The first line that is no time stamp; 0 = none.
    std::uint64_t bad_line() const { return bad_line_; }
    std::size_t left_over() const { return size_; }  // samples after the last whole batch

private:
    void add_stamp(std::uint64_t stamp) {
        if (started_) batch_[size_++] = stamp - last_;
        started_ = true;
        last_ = stamp;
        if (size_ < kBatchSamples) return;
        judge.add(batch_);
        size_ = 0;
    }

    Word line_;
    bool comment_ = false, started_ = false;
    std::uint64_t line_number_ = 0, bad_line_ = 0, last_ = 0;
    std::array<std::uint64_t, kBatchSamples> batch_;
    std::size_t size_ = 0;
};

int print_judgement(const JitterJudge& judge, std::size_t left_over) {
    auto say = [](const auto&... parts) { print_line(Line().add(parts...)); };
    const TimerTest& timer = judge.timer();
    say("samples: ", std::uint64_t{judge.batches()} * kBatchSamples, " in ", judge.batches(), " batches, ",
        std::uint64_t{left_over}, " more not judged");
    say("timer, in the first batch: ", timer.distinct, " different deltas, ", timer.still, " zeros, least step ",
        timer.step);
    for (std::size_t test = 0; test < kHealthTests.size(); test++) {
        const TestCount& count = judge.health().count(test);
        say(kHealthTests[test].name, ": worst ", count.worst, ", alarm at ", kHealthTests[test].cutoff, ", alarms ",
            count.alarms);
    }
    say("estimate: ", Thousandths{judge.assessed_millibits()}, " bits a sample; ", judge.low_batches(),
        " batches below ", Thousandths{kLeastMillibits});
    if (judge.earned_bits() >= kFullCreditBits) {
        say("credit: ", kFullCreditBits, " bits");
        return kExitDone;
    }
    Shortage shortage = judge.shortage();
    auto [what, advice] = explain(credit_for_jitter(0, shortage, JitterPolicy::automatic).reason);
    if (shortage == Shortage::out_of_time) {
        say("credit: 0 bits: ", kFullCreditBits / kBatchCreditBits + 1, " batches of ", std::uint64_t{kBatchSamples},
            " samples are needed");
    } else {
        say("credit: 0 bits: ", what, " (", judge.seen(shortage), "); ", advice);
    }
    return kExitDegraded;
}

int judge_recording(const RecordOptions& options) {
    auto file = open_input(options.file);
    if (!file) return cannot_record(describe(file.error(), options.file.view()));
    Recording recording;
    Bytes<4096> buffer;
    for (;;) {
        auto got = kernel::read_some(*file, buffer);
        if (!got) return cannot_record(describe(got.error(), options.file.view()));
        if (*got == 0) break;
        for (std::uint8_t byte : std::span(buffer).first(*got)) recording.add(static_cast<char>(byte));
    }
    recording.end_line();
    if (recording.bad_line() != 0) {
        return cannot_record(
            Line(options.file.view())
                .add(", line ", recording.bad_line(), ": not a time stamp; a decimal number a line is expected"));
    }
    return print_judgement(recording.judge, recording.left_over());
}

}  // namespace

const Command kRecordCommand{"record", "[--samples N] [--format text|bytes|words] [--judge] [FILE|-]",
                             "record jitter samples; with --judge: what a recording is worth",
                             [](std::span<char*> words) {
                                 RecordOptions options;
                                 const Option table[] = {{"--samples"sv, options.samples},
                                                         {"--format"sv, options.format},
                                                         {"--judge"sv, options.judge},
                                                         {"FILE"sv, options.file}};
                                 return parse_options(words, table) ? record(options) : kExitUsage;
                             }};

int record(const RecordOptions& options) {
    if (!is_one_of(options.format, {"text"sv, "bytes"sv, "words"sv}))
        return usage_error("invalid value for"sv, "--format"sv);
    kernel::lock_memory();
    return options.judge ? judge_recording(options) : record_samples(options);
}

}  // namespace earlyseed
