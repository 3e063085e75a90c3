// Where progress is shown: one line that is drawn again and again on a terminal, and plain lines
// where there is none.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

namespace rhohat {

class StatusLine {
 public:
  struct Output {
    std::FILE* file;
    bool terminal;
    std::function<double()> seconds;  // a clock that never goes back
  };

  static Output StandardError();

  explicit StatusLine(Output output);
  ~StatusLine() { Clear(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  bool terminal() const { return output_.terminal; }
  double seconds() const { return output_.seconds(); }

  // Whether it is time for a plain line, or for the bar to be drawn anew: as often as a log, or the
  // eye, can follow.
  bool IsLineDue() const;
  bool IsBarDue() const;

  // Draws the bar, of ASCII only, so that it can be cut at the terminal's edge: a longer line would
  // not be overwritten.
  void Draw(const std::string& bar);
  // Writes a line of its own that stays.
  void Write(const std::string& line);
  // Removes the bar.
  void Clear();

 private:
  Output output_;
  double shown_at_;
  bool bar_shown_ = false;
};

// "[====      ]".
std::string ProgressBar(int64_t done, int64_t total);

// "950", "12.3k", "4.57M": short enough for a bar.
std::string ShortCount(int64_t count);

}  // namespace rhohat
