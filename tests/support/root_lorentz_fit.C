// The fit of algorithms-hist.md 5.2 and 5.3 as ROOT itself makes it: test and benchmark.
#include <TF1.h>
#include <TProfile.h>
#include <cmath>
namespace sct_lorentz {
double width(double* at, double* p) {
  const double degree = M_PI / 180, sigma = p[3], x = at[0];
  const double low = x - 5 * sigma, step = 10 * sigma / 999, bottom = std::tan(degree * p[1]);
  double sum = 0, u = low;
  for (int j = 0; j < 999; ++j, u += step) {
    const double pull = (degree * x - degree * u) / (degree * sigma);
    const double ideal = p[0] * std::fabs(std::tan(degree * u) - bottom) + p[2];
    sum += ideal * 0.017455 / (std::sqrt(2 * M_PI) * degree * sigma) * std::exp(-pull * pull / 2)
           * step;
  }
  return sum;
}
struct Result { double values[4], errors[4], chi2; int status, attempts; };
Result fit(TProfile* profile) {
  TF1 f("f", width, -9, 2, 4);
  f.SetParameters(1, -5, 1.13, 2);
  f.SetParLimits(3, 0.1, 50);
  Result r{};
  r.status = profile->Fit(&f, "EQN", "", -9, 2);
  r.attempts = 1;
  for (int i = 0; i < 4; ++i) r.errors[i] = f.GetParError(i);
  if (r.status) {
    r.attempts = 2;
    TF1 parabola("parabola", "[0]*(x-[1])*(x-[1])+[2]", -9, 2);
    parabola.SetParameters(f.GetParameter(0), f.GetParameter(1), f.Eval(f.GetParameter(1)));
    profile->Fit(&parabola, "QN", "", -9, 2);
    f.FixParameter(1, parabola.GetParameter(1));
    profile->Fit(&f, "QN", "", -9, 2);
    f.SetParLimits(1, -90, 90);
    r.status = profile->Fit(&f, "EQN", "", -9, 2);
  }
  if (r.status) {
    r.attempts = 3;
    f.FixParameter(3, 2);
    profile->Fit(&f, "QN", "", -9, 2);
    f.SetParLimits(3, 0, 50);
    r.status = profile->Fit(&f, "EQN", "", -9, 2);
  }
  for (int i = 0; i < 4; ++i) r.values[i] = f.GetParameter(i);
  r.chi2 = f.GetChisquare();
  return r;
}
double at(double x, double a, double angle, double b, double sigma) {
  double p[] = {a, angle, b, sigma};
  return width(&x, p);
}
}
