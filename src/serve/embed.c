/* SPDX-License-Identifier: MIT */
/* serve/embed.c - run at build time: embed OUT.c FILE...; writes the table am_page_files of the files' bytes. */
#include <stdio.h>
#include <string.h>

static const char *type_of(const char *name) {
  static const char *const types[][2] = {{".html", "text/html; charset=utf-8"},
                                         {".css", "text/css; charset=utf-8"},
                                         {".js", "text/javascript; charset=utf-8"},
                                         {".svg", "image/svg+xml"}};
  const char *end = strrchr(name, '.');
  for (size_t i = 0; end && i < sizeof types / sizeof *types; i++)
    if (!strcmp(end, types[i][0])) return types[i][1];
  return "application/octet-stream";
}

static const char *base_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static int put_bytes(FILE *out, int number, const char *path) {
  FILE *in = fopen(path, "rb");
  if (!in) return 1;
  long n = 0;
  fprintf(out, "static const unsigned char file_%d[] = {", number);
  for (int c; (c = getc(in)) != EOF; n++) fprintf(out, "%s%d,", n % 24 ? "" : "\n  ", c);
  fprintf(out, "\n  0};\n\n");
  const int failed = ferror(in);
  fclose(in);
  return failed;
}

int main(int argc, char **argv) {
  FILE *out = argc > 2 ? fopen(argv[1], "w") : NULL;
  if (!out) return 1;
  fprintf(out, "/* Made by embed.c. */\n#include \"serve/page.h\"\n\n");
  for (int i = 2; i < argc; i++)
    if (put_bytes(out, i, argv[i])) return 1;
  fprintf(out, "const am_page_file am_page_files[] = {\n");
  for (int i = 2; i < argc; i++) {
    const char *name = base_of(argv[i]);
    fprintf(out, "  {\"/%s\", \"%s\", file_%d, sizeof file_%d - 1},\n", strcmp(name, "index.html") ? name : "",
            type_of(name), i, i);
  }
  fprintf(out, "  {0}};\n");
  return fclose(out) != 0;
}
