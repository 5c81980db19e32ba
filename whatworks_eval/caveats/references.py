"""What the rules rest on. Every entry was seen in a catalogue, a publisher's page or itself."""

from __future__ import annotations

from whatworks_eval.judgement import Source

SMS = Source(
    key="Farrington et al. 2002",
    text="Farrington, D. P., Gottfredson, D. C., Sherman, L. W. and Welsh, B. C. (2002). The Maryland "
    "Scientific Methods Scale. In Sherman, L. W., Farrington, D. P., Welsh, B. C. and MacKenzie, D. L. "
    "(eds), Evidence-Based Crime Prevention, pp. 13-21. London: Routledge.",
)
WWG = Source(
    key="What Works Growth 2016",
    text="What Works Centre for Local Economic Growth. Guide to scoring the evidence, June 2016, on its "
    "adapted Maryland scale. whatworksgrowth.org.",
)
QUALITY = Source(
    key="Farrington 2003",
    text="Farrington, D. P. (2003). Methodological quality standards for evaluation research. Annals of the "
    "American Academy of Political and Social Science 587, 49-68. doi 10.1177/0002716202250789.",
)
REGRESSION = Source(
    key="Farrington and Welsh 2006",
    text="Farrington, D. P. and Welsh, B. C. (2006). How important is 'regression to the mean' in area-based "
    "crime prevention research? Crime Prevention and Community Safety 8, 50-60.",
)
PRETRENDS = Source(
    key="Roth 2022",
    text="Roth, J. (2022). Pretest with caution: event-study estimates after testing for parallel trends. "
    "American Economic Review: Insights.",
)
FEW_CLUSTERS = Source(
    key="MacKinnon and Webb 2020",
    text="MacKinnon, J. G. and Webb, M. D. (2020). Randomization inference for difference-in-differences "
    "with few treated clusters. Queen's Economics Department Working Paper 1355, revised 30 April 2020.",
)
DISPLACEMENT = Source(
    key="Bowers et al. 2011",
    text="Bowers, K. J., Johnson, S. D., Guerette, R. T., Summers, L. and Poynton, S. (2011). Spatial "
    "displacement and diffusion of benefits among geographically focused policing initiatives: a "
    "meta-analytical review. Journal of Experimental Criminology 7(4), 347-374.",
)
EVALUATORS = Source(
    key="Petrosino and Soydan 2005",
    text="Petrosino, A. and Soydan, H. (2005). The impact of program developers as evaluators on criminal "
    "recidivism: results from meta-analyses of experimental and quasi-experimental research. Journal of "
    "Experimental Criminology 1(4), 435-450.",
)
TIDIER = Source(
    key="Hoffmann et al. 2014",
    text="Hoffmann, T. C. and others (2014). Better reporting of interventions: template for intervention "
    "description and replication (TIDieR) checklist and guide. BMJ 348:g1687.",
)
ROBINS = Source(
    key="Sterne et al. 2016",
    text="Sterne, J. A. C. and others (2016). ROBINS-I: a tool for assessing risk of bias in non-randomised "
    "studies of interventions. BMJ 355:i4919.",
)
MAGENTA = Source(
    key="Magenta Book 2026",
    text="HM Treasury and Evaluation Task Force (2026). The Magenta Book: central government guidance on "
    "evaluation, 15 May 2026. gov.uk.",
)
HMIC = Source(
    key="HMIC 2014",
    text="Her Majesty's Inspectorate of Constabulary (2014). Crime-recording: making the victim count, "
    "November 2014. An estimated 80.5 % of reported crime had been recorded.",
)
BREAKS = Source(
    key="recording-breaks dataset",
    text="datasets/recording-breaks in this package: known changes in what police forces in England and "
    "Wales record or publish, each with its own source.",
)
STREET_AUDIT = Source(
    key="police.uk street-file audit",
    text="Audit of police.uk street-level files, January 2014 to December 2025: GitHub "
    "Autonomy-Data-Unit/annual-deprivation-index, issues 35, 43, 58 and 64. Counted again on real files in "
    "this package's tests.",
)
LOCKDOWNS = Source(
    key="recording-breaks dataset, Covid-19",
    text="datasets/recording-breaks in this package, rows of kind 'restrictions': national lockdowns and "
    "stepped reopening in England and Wales, 23 March 2020 to 18 July 2021, and anti-social behaviour "
    "counts that more than doubled as Covid breaches were logged (Crime Science 2022; police.uk data).",
)
OVERDISPERSION = Source(
    key="Farrington and Welsh 2004",
    text="Farrington, D. P. and Welsh, B. C. (2004), NCJ 206770, who estimate the variance of crime counts "
    "over their mean from comparison areas in reply to P. Marchant (University of Leeds, STAT06-01), for "
    "whom it is many times the mean.",
)
POP_REVIEW = Source(
    key="Hinkle et al. 2020",
    text="Hinkle, J. C., Weisburd, D., Telep, C. W. and Petersen, K. (2020). Problem-oriented policing for "
    "reducing crime and disorder: an updated systematic review and meta-analysis. Campbell Systematic "
    "Reviews 16(2), e1089. Mean fall of 33.8 % over 34 studies.",
)
SCALES = Source(
    key="Wheeler and Ratcliffe 2018",
    text="Wheeler, A. P. and Ratcliffe, J. H. (2018). A simple weighted displacement difference test to "
    "evaluate place based crime interventions. Crime Science 7:11.",
)
RINGS = Source(
    key="POP Center tool guide 10",
    text="Center for Problem-Oriented Policing, problem-solving tool guide 10, on analysing crime "
    "displacement and diffusion, appendix C: the weighted displacement quotient and how to read it.",
)
RATE_RATIOS = Source(
    key="Journal of Experimental Criminology 2007",
    text="Journal of Experimental Criminology (2007), doi 10.1007/s11292-007-9024-2, appendix: the relative "
    "effect size and its error, a sum of one over each of four counts.",
)
CALIBRATION = Source(
    key="whatworks_eval calibration",
    text="Measured by this package on real police.uk counts where nothing was done: see docs/explanation and "
    "docs/reference/planted-defects.md.",
)
TIME_SERIES = Source(
    key="Bernal et al. 2017",
    text="Bernal, J. L., Cummins, S. and Gasparrini, A. (2017). Interrupted time series regression for the "
    "evaluation of public health interventions: a tutorial. International Journal of Epidemiology 46(1), "
    "348-355.",
)
TIME_SERIES_ERRORS = Source(
    key="Turner et al. 2021",
    text="Turner, S. L., Forbes, A. B., Karahalios, A., Taljaard, M. and McKenzie, J. E. (2021). Evaluation "
    "of statistical methods used in the analysis of interrupted time series studies: a simulation study. BMC "
    "Medical Research Methodology 21, 181.",
)
HONEST_TRENDS = Source(
    key="Rambachan and Roth 2023",
    text="Rambachan, A. and Roth, J. (2023). A more credible approach to parallel trends. Review of Economic "
    "Studies 90(5), 2555-2591. doi 10.1093/restud/rdad018.",
)
STAGGERED = Source(
    key="Goodman-Bacon 2021",
    text="Goodman-Bacon, A. (2021). Difference-in-differences with variation in treatment timing. Journal of "
    "Econometrics 225(2), 254-277.",
)
FUNCTIONAL_FORM = Source(
    key="Roth and Sant'Anna 2023",
    text="Roth, J. and Sant'Anna, P. H. C. (2023). When is parallel trends sensitive to functional form? "
    "Econometrica 91(2), 737-747. doi 10.3982/ECTA19402.",
)
