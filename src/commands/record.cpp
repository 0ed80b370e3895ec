// SPDX-License-Identifier: MIT
// earlyseed record: raw jitter samples for an assessment, taken as load takes them; and with --judge, what load's own
// tests say of such a recording, or of any other clock's. Needs no root and no store; works in the initrd.
#include "commands/commands.hpp"
#include "jitter/jitter.hpp"
#include "system/log.hpp"

namespace earlyseed {

namespace {

int fail(const Line& line) {
    log::warn(line);
    return kExitUsage;
}

// Writes through a buffer; the first error stays, and ends all writing.
class Output {
public:
    explicit Output(kernel::File file) : file_(std::move(file)) {}
    void add(std::span<const std::uint8_t> bytes) {
        for (std::uint8_t byte : bytes) {
            buffer_[size_++] = byte;
            if (size_ == sizeof buffer_) [[maybe_unused]]
                Status written = flush();
        }
    }
    Status flush() {
        if (status_) status_ = kernel::write_bytes(file_, std::span(buffer_).first(size_));
        size_ = 0;
        return status_;
    }

private:
    kernel::File file_;
    std::uint8_t buffer_[4096];
    std::size_t size_ = 0;
    Status status_;
};

int record_samples(const Options& options) {
    bool to_file = options.file.view() != "-";
    auto file = to_file ? kernel::create(options.file.c_str()) : Result<kernel::File>(kernel::standard_output());
    if (!file) return fail(describe(file.error(), options.file.view()));
    Output output(std::move(*file));

    bool text = options.format.view() == "text";
    bool octets = options.format.view() == "bytes";
    if (text) {
        Line head("# ");
        head.add(CpuCounter::kName, "; ", kWalkAccesses, " accesses to ", std::uint64_t{kWalkBytes >> 10},
                 " KiB a sample; the time between batches of ", std::uint64_t{kBatchSamples}, " is left out\n");
        output.add(bytes_of(head.view()));
    }
    kernel::pin_to_current_cpu();
    memory_walk.prepare();
    std::uint64_t stamp = CpuCounter::now();
    if (text) output.add(bytes_of(Text<24>().add(stamp, "\n").view()));
    SecretArray<std::uint64_t, kBatchSamples> batch;
    for (std::uint64_t left = options.samples; left > 0;) {
        memory_walk.sample<CpuCounter>(batch.span());
        for (std::uint64_t delta : batch.span()) {
            if (left == 0) break;
            left--;
            stamp += delta;
            Bytes<8> word;
            store_le(word, delta);
            if (text)
                output.add(bytes_of(Text<24>().add(stamp, "\n").view()));
            else
                output.add(std::span(word).first(octets ? 1 : 8));
        }
        if (!output.flush()) break;
    }
    Status written = output.flush();
    return written ? kExitDone : fail(describe(written.error(), options.file.view()));
}

// A time stamp a line, in decimal; '#' begins a comment; empty lines are passed over.
class Recording {
public:
    void add(char c) {
        if (c == '\n') return end_line();
        if (c == '#') comment_ = true;
        if (!comment_) line_.append(std::string_view(&c, 1));
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

    Text<64> line_;
    bool comment_ = false, started_ = false;
    std::uint64_t line_number_ = 0, bad_line_ = 0, last_ = 0;
    std::array<std::uint64_t, kBatchSamples> batch_;
    std::size_t size_ = 0;
};

int print_judgement(const JitterJudge& judge, std::size_t left_over) {
    auto say = [](const auto&... parts) { kernel::print(1, Line().add(parts..., "\n").view()); };
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
    Reason reason = judge.shortage();
    auto [what, advice] = explain(reason);
    if (reason == Reason::out_of_time) {
        say("credit: 0 bits: ", kFullCreditBits / kBatchCreditBits + 1, " batches of ", std::uint64_t{kBatchSamples},
            " samples are needed");
    } else {
        say("credit: 0 bits: ", what, " (", judge.seen(reason), "); ", advice);
    }
    return kExitDegraded;
}

int judge_recording(const Options& options) {
    auto file = open_input(options.file);
    if (!file) return fail(describe(file.error(), options.file.view()));
    Recording recording;
    Bytes<4096> buffer;
    for (;;) {
        auto got = kernel::read_some(*file, buffer);
        if (!got) return fail(describe(got.error(), options.file.view()));
        if (*got == 0) break;
        for (std::uint8_t byte : std::span(buffer).first(*got)) recording.add(static_cast<char>(byte));
    }
    recording.end_line();
    if (recording.bad_line() != 0) {
        return fail(
            Line(options.file.view())
                .add(", line ", recording.bad_line(), ": not a time stamp; a decimal number a line is expected"));
    }
    return print_judgement(recording.judge, recording.left_over());
}

}  // namespace

int record(const Options& options) {
    log::begin("record", false);
    return options.judge ? judge_recording(options) : record_samples(options);
}

}  // namespace earlyseed
