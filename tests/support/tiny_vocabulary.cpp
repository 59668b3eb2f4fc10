#include "tests/support/tiny_vocabulary.hpp"

#include <sstream>
#include <string_view>

namespace espalier::testing {
namespace {

constexpr std::string_view kSpecial = "[PAD] [UNK] [CLS] [SEP] [MASK]";
constexpr std::string_view kCharacters =
    "! \" # $ % & ' ( ) * + , - . / 0 1 2 3 4 5 6 7 8 9 : ; < = > ? @ [ ] _ "
    "a b c d e f g h i j k l m n o p q r s t u v w x y z 今 天 很 好 中 国 人 的";
constexpr std::string_view kContinued =
    "a b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 2 3 4 5 6 7 8 9 "
    "s ed ing er est ly ness less ful able ment ion tion al ous ive ity es en th";
constexpr std::string_view kWords =
    "the of and to in is it that was for on as with his be at by had not are but from or have an "
    "they which one you were her all she there would their we him been has when who will more no "
    "if out so said what up its about into than them can only other new some could time these two "
    "may then do first any my now such like our over man me even most made after also did many "
    "before must through back years where much your way well down should because each just those "
    "people how too little state good very make world still own see men work long get here between "
    "both life being under never day same another know while last might us great old year off "
    "come since against go came right used take three small tree leaf root branch wall garden "
    "grow flat cut train prune apple pear water sun rain film movie bad boring best worst bank "
    "river money city paris berlin john mary acme corp play read write quick brown fox dog cat";

void append(std::vector<std::string>& pieces, std::string_view words, std::string_view prefix) {
  std::istringstream list{std::string(words)};
  for (std::string word; list >> word;) {
    std::string piece = std::string(prefix) + word;
    bool known = false;
    for (const std::string& other : pieces) known = known || other == piece;
    if (!known) pieces.push_back(std::move(piece));
  }
}

}  // namespace

std::vector<std::string> tiny_vocabulary() {
  std::vector<std::string> pieces;
  append(pieces, kSpecial, "");
  append(pieces, kCharacters, "");
  append(pieces, kContinued, "##");
  append(pieces, kWords, "");
  return pieces;
}

std::string tiny_vocabulary_text() {
  std::string text;
  for (const std::string& piece : tiny_vocabulary()) text += piece + "\n";
  return text;
}

}  // namespace espalier::testing
