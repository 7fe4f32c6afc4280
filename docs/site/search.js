// Search in the headings of all pages. The list, audiomoodPages, is made by tools/docs-site, so nothing is asked of a server.
(function () {
  var box = document.getElementById("search"), list = document.getElementById("found");
  var top = document.documentElement.getAttribute("data-top");
  function plain(text) { return text.toLowerCase().replace(/[_.\-]/g, " "); }
  function show() {
    var words = plain(box.value).split(/\s+/).filter(Boolean), hits = [];
    list.textContent = "";
    if (!words.length) return;
    audiomoodPages.forEach(function (entry) { // [page, anchor, title of the page, heading, first words below it]
      var head = plain(entry[3]), all = head + " " + plain(entry[2]) + " " + plain(entry[4]), score = 0;
      for (var i = 0; i < words.length; i++) {
        if (all.indexOf(words[i]) < 0) return;
        if (head.indexOf(words[i]) >= 0) score += 2;
        if (head.indexOf(words[i]) === 0) score += 1;
      }
      hits.push([score, entry]);
    });
    hits.sort(function (a, b) { return b[0] - a[0]; });
    hits.slice(0, 20).forEach(function (hit) {
      var item = document.createElement("li"), link = document.createElement("a"), page = document.createElement("small");
      link.href = top + hit[1][0] + (hit[1][1] ? "#" + hit[1][1] : "");
      link.textContent = hit[1][3];
      item.appendChild(link);
      if (hit[1][2] !== hit[1][3]) { page.textContent = hit[1][2]; item.appendChild(page); }
      list.appendChild(item);
    });
    if (!hits.length) { var none = document.createElement("li"); none.textContent = "nothing found"; list.appendChild(none); }
  }
  box.addEventListener("input", show);
  document.addEventListener("keydown", function (event) {
    if (event.key === "/" && document.activeElement !== box) { event.preventDefault(); box.focus(); }
    if (event.key === "Escape") { box.value = ""; show(); }
  });
  show();
})();
