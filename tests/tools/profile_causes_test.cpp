// What a profile is blamed on: the causes that no test can bring about on the machine it runs on,
// and which of several becomes the one action.
#include "tools/profile_causes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::tools {
namespace {

using runtime::StepPart;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ProfiledPart& part_of(Profile& profile, StepPart part) {
  return profile.layers[0][static_cast<std::size_t>(part)];
}

/// One int8 layer on two threads of a machine with two processors and nothing else to do: 10 ms a
/// call, 6 of them in the feed-forward.
Profile clean_profile() {
  Profile profile;
  profile.backend = "cpu";
  profile.n_threads = 2;
  profile.n_texts = 32;
  profile.n_tokens = 1000;
  profile.padded_tokens = 2000;
  profile.n_calls = 1;
  profile.call.p50_ms = 10;
  profile.call.mean_ms = 10;
  profile.layers.resize(1);
  const std::pair<StepPart, double> times[] = {{StepPart::qkv, 2},
                                               {StepPart::attention, 1},
                                               {StepPart::out, 1},
                                               {StepPart::up, 3},
                                               {StepPart::down, 3}};
  for (const auto& [part, ms] : times) {
    part_of(profile, part).ms = ms;
    part_of(profile, part).type = "int8";
  }
  profile.int8_peak = MeasuredPeak{"int8", 200};
  profile.fp32_peak = MeasuredPeak{"fp32", 50};
  profile.machine.isa_detected = "avx2";
  profile.machine.isa_used = "avx2";
  profile.machine.processors = 2;
  return profile;
}

std::vector<std::string> names_of(const std::vector<Cause>& causes) {
  std::vector<std::string> names;
  for (const Cause& cause : causes) names.push_back(cause.name);
  return names;
}

std::vector<std::string> names_of(const Profile& profile) {
  return names_of(causes_of(profile));
}

std::string action_of(const Profile& profile) {
  return action_for(profile, causes_of(profile));
}

TEST(ProfileCauses, FindNothingAboutACleanProfileAndPointAtItsLargestPart) {
  const Profile profile = clean_profile();

  EXPECT_THAT(names_of(profile), IsEmpty());
  EXPECT_THAT(action_of(profile), HasSubstr("the feed-forward layers take 60 % of the time"));
}

TEST(ProfileCauses, CountAQuotaAsProcessorsThatAreNotThere) {
  Profile profile = clean_profile();
  profile.machine.processors = 8;
  profile.n_threads = 8;
  profile.machine.quota_cpus = 2.5;

  EXPECT_THAT(names_of(profile), ElementsAre("over_subscription"));
  EXPECT_THAT(causes_of(profile)[0].what, HasSubstr("control group allows 2.50"));
  EXPECT_THAT(action_of(profile), HasSubstr("-t 2 "));

  profile.n_threads = 3;  // shares the rest of the third
  EXPECT_THAT(names_of(profile), IsEmpty());
}

TEST(ProfileCauses, WeighFloatsByTheirTimeAndByWhatInt8WouldSave) {
  Profile profile = clean_profile();
  profile.float_parts = {{"layer.0.ffn.up", "fp32", "rule ffn.up=fp32"}};
  part_of(profile, StepPart::up).type = "fp32";

  const std::vector<Cause> causes = causes_of(profile);

  EXPECT_THAT(names_of(causes), ElementsAre("float"));
  EXPECT_NEAR(causes[0].gain, 0.3 * (1 - 50.0 / 200), 1e-12);
  EXPECT_THAT(causes[0].what, HasSubstr("1 of 4 linears"));
  EXPECT_THAT(causes[0].what, HasSubstr("rule ffn.up=fp32"));
  EXPECT_THAT(action_of(profile), HasSubstr("--keep"));
}

TEST(ProfileCauses, LeaveAWordTableInFloatsAlone) {
  Profile profile = clean_profile();
  profile.float_parts = {{"embedding.word", "bf16", "rule word=bf16"}};

  EXPECT_THAT(names_of(profile), IsEmpty());
}

TEST(ProfileCauses, BlameTheTokenizerOnlyWhereThreadsWaitForIt) {
  Profile profile = clean_profile();
  profile.tokenizer_ms = 10;

  EXPECT_THAT(names_of(profile), ElementsAre("tokenizer"));
  EXPECT_NEAR(causes_of(profile)[0].gain, 0.25, 1e-12);

  profile.n_threads = 1;
  EXPECT_THAT(names_of(profile), IsEmpty());
}

TEST(ProfileCauses, SeeThreadsThatHaveTooLittleToDo) {
  Profile profile = clean_profile();
  profile.call.mean_ms = 20;
  part_of(profile, StepPart::waiting).ms = 4;

  const std::vector<Cause> causes = causes_of(profile);

  EXPECT_THAT(names_of(causes), ElementsAre("waiting"));
  EXPECT_NEAR(causes[0].gain, 0.5, 1e-12);
}

TEST(ProfileCauses, BlameNeighboursOnlyOnAMachineThatWasFull) {
  Profile profile = clean_profile();
  profile.machine.own_cpus = 1.2;
  profile.machine.other_cpus = 0.7;

  EXPECT_THAT(names_of(profile), IsEmpty());

  profile.machine.was_full = true;
  EXPECT_THAT(names_of(profile), ElementsAre("load"));
  EXPECT_NEAR(causes_of(profile)[0].gain, 0.35, 1e-12);
}

TEST(ProfileCauses, NoticeStolenTimeAndAClockThatIsHeldDown) {
  Profile profile = clean_profile();
  profile.machine.steal_share = 0.08;
  profile.machine.clock_limit = 0.5;

  EXPECT_THAT(names_of(profile), ElementsAre("clock", "steal"));
  EXPECT_THAT(action_of(profile), HasSubstr("scaling_max_freq"));

  profile.machine.clock_limit = 1;
  profile.machine.governor = "powersave";
  EXPECT_THAT(names_of(profile), ElementsAre("governor", "steal"));

  profile.machine.governor = "performance";
  profile.machine.steal_share = 0.001;
  EXPECT_THAT(names_of(profile), IsEmpty());
}

TEST(ProfileCauses, PutTheLargestGainFirst) {
  Profile profile = clean_profile();
  profile.machine.steal_share = 0.3;
  profile.pad_tokens = 200;
  profile.n_threads = 16;

  EXPECT_THAT(names_of(profile), ElementsAre("over_subscription", "steal", "padding"));
  EXPECT_THAT(action_of(profile), HasSubstr("-t 2 "));
}

TEST(ProfileCauses, AreNoActionWhenTheyAreWorthNothing) {
  Profile profile = clean_profile();
  profile.pad_tokens = 20;  // 2 %

  EXPECT_THAT(names_of(profile), ElementsAre("padding"));
  EXPECT_THAT(action_of(profile), HasSubstr("nothing stands in this model's way"));
}

}  // namespace
}  // namespace espalier::tools
