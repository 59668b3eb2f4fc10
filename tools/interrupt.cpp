#include "interrupt.hpp"

#include <unistd.h>
#include <csignal>

#include "espalier/error.hpp"

namespace espalier::tools {
namespace {

volatile std::sig_atomic_t received_signal = 0;

void remember(int signal) {
  if (received_signal != 0) _exit(128 + signal);
  received_signal = signal;
}

}  // namespace

void catch_signals() {
  struct sigaction action = {};
  action.sa_handler = remember;  // no SA_RESTART: a read that waits for input has to come back
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
}

bool interrupt_requested() {
  return received_signal != 0;
}

int pending_signal() {
  return received_signal;
}

void throw_if_interrupted() {
  if (received_signal == SIGINT) throw Error(ErrorCode::interrupted, "interrupted");
  if (received_signal == SIGTERM) throw Error(ErrorCode::terminated, "terminated");
}

}  // namespace espalier::tools
