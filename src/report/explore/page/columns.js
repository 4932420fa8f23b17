
// The columns of the two tables: heading, what it means, how wide (in digits), what a cell says and what it is sorted by.

function starColumns(index, stars) {
  const number = (key, head, title, width, text) => ({ key, head, title, width, text: (i) => text(stars[key][i]), sortBy: (i) => stars[key][i] });
  const km_s = (x) => fixed(x, 3);
  return [
    { key: "name", head: "star", title: "name of the star, from its position", width: 21, isText: true, text: (i) => stars.name[i], sortBy: (i) => stars.name[i] },
    {
      key: "verdict", head: "verdict", title: "whether the star varies, as far as its velocities tell", width: 11, isText: true,
      text: (i) => index.verdicts[stars.verdict[i]], sortBy: (i) => stars.verdict[i],
    },
    number("exposures", "exposures", "exposures in which it was measured in one arm at least", 12, whole),
    number("p_r", "p red", "probability that a constant star scatters more than this one, red arm", 9, probability),
    number("p_b", "p blue", "probability that a constant star scatters more than this one, blue arm", 9, probability),
    number("scatter_r", "scatter red, km/s", "standard deviation of the corrected velocities, red arm, km/s", 12, km_s),
    number("scatter_b", "scatter blue, km/s", "standard deviation of the corrected velocities, blue arm, km/s", 12, km_s),
    {
      key: "flags", head: "flags", title: "flags that any of its velocities has", width: 28, isText: true,
      text: (i) => flagNames(index, stars.flags[i]).join(", ") || NONE,
      sortBy: (i) => flagNames(index, stars.flags[i]).length,
    },
    number("period", "period, d", "best period of both arms together, days, where one was looked for", 11, (x) => fixed(x, 4)),
    number("fap", "period by chance", "probability that a star without a period shows one as clearly", 12, probability),
    number("amp", "half range, km/s", "half the range of the sinusoid of this period, km/s", 12, (x) => fixed(x, 2)),
    number("quiet_r", "quiet red", "probability that the star is quiet, from how much all stars vary, red arm", 9, probability),
    number("quiet_b", "quiet blue", "probability that the star is quiet, from how much all stars vary, blue arm", 9, probability),
    number("ra", "ra, deg", "right ascension, degrees (J2000)", 12, (x) => fixed(x, 5)),
    number("dec", "dec, deg", "declination, degrees (J2000)", 12, (x) => fixed(x, 5)),
  ];
}

function exposureColumns(all) {
  const number = (key, head, title, width, digits) => ({ key, head, title, width, text: (i) => fixed(all[key][i], digits), sortBy: (i) => all[key][i] });
  const arm = (letter, name) => [
    number(`zp_${letter}`, `zero point ${name}, km/s`, `mean of the zero point along the slit, ${name} arm, km/s`, 13, 3),
    number(`err_${letter}`, `error ${name}, km/s`, `formal error of the zero point, ${name} arm, km/s`, 12, 3),
    number(`slope_${letter}`, `slope ${name}, km/s`, `how much the zero point rises from the middle of the slit to its end, ${name} arm, km/s`, 12, 3),
    number(`constants_${letter}`, `stars ${name}`, `constant stars that determine the zero point, ${name} arm`, 10, 0),
  ];
  return [
    {
      key: "lmjm", head: "exposure (UTC)", title: "start of the exposure", width: 18, isText: true,
      text: (i) => dateOfMinute(all.lmjm[i]), sortBy: (i) => all.lmjm[i],
    },
    { key: "plate", head: "plate", title: "plate", width: 24, isText: true, text: (i) => all.plate[i], sortBy: (i) => all.plate[i] },
    number("spid", "spectro\u00adgraph", "spectrograph", 10, 0),
    ...arm("r", "red"),
    ...arm("b", "blue"),
  ];
}
