/* A stranger's product in C: 20 lines that classify a sentence, built with pkg-config. */
#include <espalier/espalier.h>
#include <stdio.h>

int main(int argc, char** argv) {
  espalier_model* model = NULL;
  espalier_session* session = NULL;
  espalier_error error = {ESPALIER_USAGE, "usage: consumer_c MODEL"};
  espalier_model_info info = {.struct_size = sizeof info};
  const espalier_text texts[2] = {{"a charming journey", ESPALIER_UNTIL_NUL, NULL, 0},
                                  {"bleak and desperate", ESPALIER_UNTIL_NUL, NULL, 0}};
  float scores[2][2];
  if (argc != 2 || espalier_model_open(argv[1], NULL, &model, &error) != ESPALIER_OK ||
      espalier_model_get_info(model, &info, &error) != ESPALIER_OK ||
      espalier_session_open(model, NULL, &session, &error) != ESPALIER_OK ||
      espalier_classify(session, texts, 2, NULL, scores[0], 4, NULL, &error) != ESPALIER_OK) {
    fprintf(stderr, "%s\n", error.message);
  }
  for (int i = 0; i < 2 && error.code == ESPALIER_OK; ++i) {
    const int best = scores[i][1] > scores[i][0];
    printf("%s %g\n", info.labels[best], scores[i][best]);
  }
  espalier_session_free(session);
  espalier_model_free(model);
  return error.code;
}
