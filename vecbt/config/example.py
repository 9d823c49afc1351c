"""The commented run file that `vecbt init` writes. It runs as it is, on the bundled prices."""

from __future__ import annotations

__all__ = ["EXAMPLE"]

EXAMPLE = """\
# A run of vecbt.   vecbt check FILE   looks for mistakes and contradictions, vecbt backtest FILE simulates it, vecbt replay FILE proves
# that bar by bar gives the same bits, vecbt schema lists every key there is, for this file and for editors. Keys can be set for one run:
#   vecbt backtest FILE --set strategy.parameters.fast=50 --set stops.hard=5%
# What is commented out below is off, or shows its default.

data:
  sample: us_daily                # bundled: AAPL, FB, GOOG, IBM, MSFT, daily 2000-03-01 .. 2013-03-01, adjusted
  symbols: [AAPL, MSFT, IBM]
  start: 2001-01-01
  end: 2013-01-01                 # the first date that is not used any more
  # path: prices.csv              # instead of sample: CSV or Parquet with columns date, open, high, low, close, volume;
  #                               # and symbol, where there are several assets. Relative to this file
  # resample: 1W
  # market: {tick: 0.01, lot: 1}  # units of trading; a number for all assets, or by symbol

strategy:
  name: SmaCross                  # one that  vecbt strategies  lists, with its parameters; or module:Name of your own
  parameters:
    fast: 20
    slow: 100
    direction: long               # long, short, both
  # a strategy of its own for each symbol is  {name: PerSymbol, parameters: {strategies: {AAPL: SmaCross, MSFT: RsiReversion}}}

costs:                            # needed; without any costs say  free: true
  commission_rate: 0.0005         # fraction of the notional of each fill: 5 bps
  minimum: 1.0                    # least commission of an order
  slippage_bps: 2.0

account:
  initial_capital: 100000
  # accounts: separate            # one account per asset instead of one for all
  # positions: {AAPL: {quantity: 100, price: 12.5}}
  # leverage: 2                   # most exposure over equity
  # maintenance: 0.25             # equity over exposure below which all is closed
  # flows: {2005-01-03: 10000}    # money paid in; out where below 0

sizing:                           # exactly one; without this section  weight: 1/N
  fixed_fractional: {risk_fraction: 0.01, max_position_fraction: 0.33}
  # weight: 0.25
  # units: 100
  # notional: 10000
  # cash: 0.5
  # kelly: {kelly_fraction: 0.25}   # of the account's own trades; or with win_rate, avg_win, avg_loss
  # equal_weight: {}              # also inverse_volatility, volatility, confidence_based, forecast

stops:                            # "3%", "2 atr", "20 ticks", {price: 97.5}, or a fraction below 1
  hard: 3 atr
  trailing: 15%
  activation: 10%                 # the trailing stop waits for this gain
  # take_profit: 25%
  # time_bars: 120
  # atr_window: 14
  # preset: layered               # numbers by name: wide, layered, tight, atr; keys beside it win

risk:
  zones:                          # drawdown zones: CAUTION, ALERT, EMERGENCY
    boundaries: [0.05, 0.10, 0.15]
    factors: [1.0, 0.5, 0.25, 0.0]  # of new risk in each zone
    cooldown_bars: 60             # after EMERGENCY; without it no new risk until the end
    # liquidate_at: 0.20
  # daily_loss: 0.03              # after such a day no new risk until the next
  # max_heat: 0.06                # of equity, that all positions together may lose at their stops
  # max_trade_loss: 0.02          # of equity, that one position may lose at its stop
  # limits: {max_position: 0.5, max_gross: 1.0}   # of equity; max_position_value is money

# carry:                          # what holding costs, yearly fractions
#   borrow_rate: 0.01             # of shorts
#   interest_rate: 0.05           # of borrowed cash

# fill: next_open                 # orders meet the next open; close: the close of the decision
# direction: both
# intrabar: pessimistic           # stop before target, where one bar holds both
# liquidate_at_end: false
# max_participation: 0.05         # most of a bar's volume that orders fill
# participation_rest: queue       # what is left waits; drop: is dropped
# audit: false                    # check the accounts at every bar

# output:                         # files to write, relative to this one
#   report: report.html
#   plot: equity.png

# sweep:                          # what  vecbt sweep FILE  runs; all else leaves it aside. --vary adds to it or replaces a name
#   vary: {fast: 10:50:10, stops.hard: [2 atr, 3 atr]}   # all combinations; both ends of a range are included
#   envelope: false               # true: each set under both intrabar rules
#   checkpoint: kept              # a folder from which the same sweep goes on
#   max_sets: 1000

# optimize:                       # what  vecbt optimize FILE  searches; all else leaves it aside
#   space: {fast: 5:50, slow: 40:200, stops.hard: [2 atr, 3 atr]}   # ranges, both ends included, and lists of choices
#   objective: sharpe             # several in a list: the Pareto front. weights: {sharpe: 1.0, max_drawdown: -0.1} is a sum
#   penalties: [{metric: trades, at_least: 30, weight: 1.0}]   # subtracted for each whole bound that is missing
#   method: genetic               # random, sobol, grid
#   population: 20
#   generations: 10
#   seed: 0
#   checkpoint: searched          # a folder from which the same search goes on
"""
