/* SPDX-License-Identifier: MIT */
/* serve/guard.c - see guard.h. */
#include "serve/guard.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* "name:8080" and "[::1]:8080" without the port and brackets. */
static bool name_of(const char *host, char *out, size_t room) {
  const bool bracket = host[0] == '[';
  const char *at = host + (bracket ? 1 : 0);
  const size_t n = strcspn(at, bracket ? "]" : ":");
  if (!n || n >= room) return false;
  memcpy(out, at, n);
  out[n] = '\0';
  at += n;
  if (bracket && *at++ != ']') return false;
  if (!*at) return true;
  return *at == ':' && at[1] && at[1 + strspn(at + 1, "0123456789")] == '\0';
}

bool am_guard_host(const char *host, const char *own, const char *const *names, size_t n) {
  char name[256], machine[256] = "";
  unsigned char address[16];
  if (!name_of(host, name, sizeof name)) return false;
  if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1) return true;
  if (gethostname(machine, sizeof machine - 1)) machine[0] = '\0';
  bool known = !strcasecmp(name, "localhost") || !strcasecmp(name, own) || (*machine && !strcasecmp(name, machine));
  for (size_t i = 0; i < n && !known; i++) known = !strcasecmp(name, names[i]);
  return known;
}

bool am_guard_origin(const char *origin, const char *host) {
  const char *at = strstr(origin, "://");
  if (!at || (strncasecmp(origin, "http:", 5) && strncasecmp(origin, "https:", 6))) return false;
  return !strcasecmp(at + 3, host);
}

bool am_guard_loopback(const char *address) {
  struct in_addr v4;
  if (inet_pton(AF_INET, address, &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  return !strcmp(address, "::1");
}
