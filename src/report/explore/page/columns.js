
// The columns of the two tables: heading, what it means, how wide (in digits), what a cell says and what it is sorted by. Where there is no room
// for all, those of low rank stay.

function starColumns(index, stars) {
  const number = (key, rank, head, title, width, text) => ({ key, rank, head, title, width, text: (i) => text(stars[key][i]), sortBy: (i) => stars[key][i] });
  const km_s = (x) => fixed(x, 3);
  return [
    { key: "name", rank: 0, head: "star", title: "name of the star, from its position", width: 19.5, isText: true, text: (i) => stars.name[i], sortBy: (i) => stars.name[i] },
    {
      key: "verdict", rank: 1, head: "verdict", title: "whether the star varies, as far as its velocities tell", width: 11.5, isText: true,
      text: (i) => index.verdicts[stars.verdict[i]], sortBy: (i) => stars.verdict[i],
    },
    number("exposures", 4, "expo\u00adsures", "exposures in which it was measured in one arm at least", 7, whole),
    number("p_r", 2, "p red", "probability that a constant star scatters more than this one, red arm", 8.6, probability),
    number("p_b", 3, "p blue", "probability that a constant star scatters more than this one, blue arm", 8.6, probability),
    number("scatter_r", 5, "scatter red, km/s", "standard deviation of the corrected velocities, red arm, km/s", 10, km_s),
    number("scatter_b", 6, "scatter blue, km/s", "standard deviation of the corrected velocities, blue arm, km/s", 10, km_s),
    {
      key: "flags", rank: 8, head: "flags", title: "flags that any of its velocities has", width: 15, isText: true,
      text: (i) => flagNames(index, stars.flags[i]).join(", ") || NONE,
      sortBy: (i) => flagNames(index, stars.flags[i]).length,
    },
    number("period", 7, "period, d", "best period of both arms together, days, where one was looked for", 9.5, (x) => fixed(x, 4)),
    number("fap", 10, "period by chance", "probability that a star without a period shows one as clearly", 10, probability),
    number("amp", 9, "half range, km/s", "half the range of the sinusoid of this period, km/s", 10, (x) => fixed(x, 2)),
    number("quiet_r", 13, "quiet red", "probability that the star is quiet, from how much all stars vary, red arm", 8.6, probability),
    number("quiet_b", 14, "quiet blue", "probability that the star is quiet, from how much all stars vary, blue arm", 8.6, probability),
    number("ra", 11, "ra, deg", "right ascension, degrees (J2000)", 11, (x) => fixed(x, 5)),
    number("dec", 12, "dec, deg", "declination, degrees (J2000)", 11, (x) => fixed(x, 5)),
  ];
}

function exposureColumns(all) {
  const number = (key, head, title, width, digits, rank) => ({ key, rank, head, title, width, text: (i) => fixed(all[key][i], digits), sortBy: (i) => all[key][i] });
  // Of an arm's four columns the first is as important as those of the exposure's name.
  const arm = (letter, name, from) => [
    number(`zp_${letter}`, `zero point ${name}, km/s`, `mean of the zero point along the slit, ${name} arm, km/s`, 11, 3, from),
    number(`err_${letter}`, `error ${name}, km/s`, `formal error of the zero point, ${name} arm, km/s`, 9.5, 3, from + 2),
    number(`slope_${letter}`, `slope ${name}, km/s`, `how much the zero point rises from the middle of the slit to its end, ${name} arm, km/s`, 9.5, 3, from + 6),
    number(`constants_${letter}`, `stars ${name}`, `constant stars that determine the zero point, ${name} arm`, 8, 0, from + 4),
  ];
  return [
    {
      key: "lmjm", head: "exposure (UTC)", title: "start of the exposure", width: 17, isText: true,
      text: (i) => dateOfMinute(all.lmjm[i]), sortBy: (i) => all.lmjm[i],
    },
    { key: "plate", head: "plate", title: "plate", width: 21, isText: true, text: (i) => all.plate[i], sortBy: (i) => all.plate[i] },
    number("spid", "spectro\u00adgraph", "spectrograph", 8.5, 0, 2),
    ...arm("r", "red", 3),
    ...arm("b", "blue", 4),
  ];
}
